import { createHash, randomBytes } from 'node:crypto';
import sql from 'sql-template-tag';
import type { Context } from '../../platform/config/contexts.js';
import { mailSettings } from '../../platform/config/services.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { describeMail, type MailSettings, openMailer, type Timings } from '../../platform/mail/index.js';
import {
  codeKey,
  type IdentityCode,
  makeCode,
  readIdentityCode,
  requireUnverified,
} from './identity-code.js';
import { composeCodeLetter } from './letters/code-letter.js';
import { type DataRequest, readRequest, requireOpen } from './request.js';

export interface CodePlan {
  readonly request: DataRequest;
  /** Whose address of record it goes to; the address itself is told to nobody before it is on record that it was. */
  readonly goes_to: 'account' | 'address';
  readonly account: string | null;
  /** How long it is good, seconds. */
  readonly seconds: number;
  /** The code that opens nothing any more once this one is issued. */
  readonly replaces: string | null;
  readonly replaces_issued_at: Date | null;
  /** The server that it is handed to, host and port. */
  readonly through: string;
}

export interface SentCode {
  readonly code: string;
  readonly request: string;
  readonly expires_at: Date;
  /** Its first letter and its domain. */
  readonly sent_to: string;
}

/**
 * Finds out whether a code can be sent to whoever made a request, and where it goes: to their address of record, never to
 * one that is given. Throws `not_found`, `request_ended`, `identity_verified`, `no_mail_server`, `no_address`,
 * `quota_exceeded`.
 */
export async function planCode(
  session: Session,
  context: Context,
  wish: { readonly number: string; readonly seconds: number },
): Promise<CodePlan> {
  const request = await readRequest(session, wish.number);
  requireOpen(request);
  requireUnverified(request);
  const through = describeMail(requireMail(context));
  const code = await readIdentityCode(session, request.number);
  const goesTo = requireAddress(request, code);
  if (code.codes_left === 0 || code.attempts_left === 0)
    throw new NestctlError(
      code.codes_left === 0
        ? 'Five codes were sent within 24 hours: the next is tomorrow.'
        : 'Three attempts have failed within 24 hours: a code could not be entered before tomorrow.',
      {
        kind: 'not_allowed',
        code: 'quota_exceeded',
        hint: 'Verify in another way, or look at what was done so far.',
        next: `nestctl request show ${request.number}`,
      },
    );
  return {
    ...{ request, goes_to: goesTo, account: code.account, seconds: wish.seconds, through },
    ...{ replaces: code.current, replaces_issued_at: code.issued_at },
  };
}

/**
 * Records a code, sends it, and records what became of it. The server has let us in before a code is issued, so that most
 * of what goes wrong goes wrong before. Throws what `openMailer` does, the database's refusals, and, with the code void,
 * what the server refuses the letter for; `mail_unsure` where it may arrive: that code stays good.
 */
export async function sendCode(
  session: Session,
  context: Context,
  plan: CodePlan,
  timings?: Timings,
): Promise<SentCode> {
  const { request } = plan;
  const settings = requireMail(context);
  const secret = makeCode();
  const salt = randomBytes(16);
  const key = await codeKey(secret, salt);
  const verifier = createHash('sha256').update(key).digest();
  const mailer = await openMailer(settings, timings);
  try {
    const { code } = await session.one<{ code: string }>(sql`
      select privacy.issue_identity_code(${request.number}, ${request.seen}, ${plan.replaces}::uuid, ${salt}, ${verifier},
        make_interval(secs => ${plan.seconds})) as code`);
    const { to } = await session.one<{ to: string | null }>(
      sql`select privacy.identity_code_address(${code}::uuid) as to`,
    );
    const { expires_at } = await readIdentityCode(session, request.number);
    if (to === null || expires_at === null) {
      await record(session, code, 'not_sent', 'no_address');
      throw noAddress(request, 'no_address');
    }
    try {
      await mailer.send({ id: code, to, ...composeCodeLetter(request, secret, expires_at) });
    } catch (error) {
      throw await failed(session, request, code, error);
    }
    await record(session, code, 'sent');
    return { code, request: request.number, expires_at, sent_to: masked(to) };
  } finally {
    mailer.close();
  }
}

async function failed(
  session: Session,
  { number }: DataRequest,
  code: string,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof NestctlError)) {
    await record(session, code, 'unknown');
    return error;
  }
  const unsure = error.code === 'mail_unsure';
  await record(session, code, unsure ? 'unknown' : 'not_sent', unsure ? null : error.code);
  const { kind, hint, next } = error;
  if (unsure)
    return new NestctlError(error.message, {
      ...{ kind, code: error.code },
      hint: 'The code is good until it expires or another is sent. Ask whether it has arrived before you send one.',
      next: `nestctl request verify-identity ${number} --method email_code`,
    });
  return new NestctlError(`${error.message} The code is void.`, {
    ...{ kind, code: error.code, hint },
    next: next ?? `nestctl request show ${number}`,
  });
}

async function record(
  session: Session,
  code: string,
  sending: 'sent' | 'not_sent' | 'unknown',
  trouble: string | null = null,
): Promise<void> {
  await session.query(sql`select privacy.record_code_sending(${code}::uuid, ${sending}, ${trouble})`);
}

function requireMail(context: Context): MailSettings {
  const settings = mailSettings(context);
  if (settings !== undefined) return settings;
  throw new NestctlError(`The context "${context.name}" names no mail server.`, {
    kind: 'conflict',
    code: 'no_mail_server',
    hint: `A code is sent by e-mail: add [contexts.${context.name}.mail] with host, from, user and where its password comes from.`,
    next: `nestctl context show ${context.name}`,
  });
}

function requireAddress(request: DataRequest, { goes_to, why_not }: IdentityCode): 'account' | 'address' {
  if (goes_to !== null) return goes_to;
  throw noAddress(request, why_not ?? 'no_address');
}

const WHY_NOT = {
  no_address: 'No address of whoever asks is on record: they have no account.',
  unverified: 'Nobody has ever shown that the address of the account is theirs.',
  changed: 'The address of the account was changed since the request came in, or within 30 days before.',
} as const;

function noAddress(request: DataRequest, why: NonNullable<IdentityCode['why_not']>): NestctlError {
  return new NestctlError(`${WHY_NOT[why]} A code sent there would prove nothing.`, {
    kind: 'conflict',
    code: why === 'no_address' ? 'no_address' : `address_${why}`,
    hint: 'Verify in another way: by a document, out of the signed-in account, or by facts that are known.',
    next: `nestctl request verify-identity ${request.number}`,
  });
}

/** As the directory masks it. */
function masked(address: string): string {
  return `${address.slice(0, 1)}…@${address.slice(address.lastIndexOf('@') + 1)}`;
}
