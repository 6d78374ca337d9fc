import sql from 'sql-template-tag';
import type { Language } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { mayActFor, type Standing } from '../guardians/may-act-for.js';
import { type DataRequest, readRequest, refusal, requireOpen, requireVerified } from '../requests/request.js';

/** Whom a package is of: an account; or a child, whose package goes to a guardian of record. */
export type PackageSubject =
  | { readonly kind: 'user'; readonly id: string }
  | {
      readonly kind: 'child';
      readonly id: string;
      readonly family: string;
      /** Of whoever asks, and the zone of where they live. */
      readonly language: Language;
      readonly zone: string;
    };

/** A request that a package answers. */
export interface ExportableRequest {
  readonly number: string;
  readonly kind: 'access' | 'portability';
  readonly subject: PackageSubject;
}

/**
 * The request by its number, where a package may answer it. Throws `not_found`, `request_ended`,
 * `identity_not_verified`, and `not_exportable` where it asks for something else or is about nobody whose package is made.
 */
export async function exportableRequest(session: Session, number: string): Promise<ExportableRequest> {
  const request = await readRequest(session, number);
  const { kind } = request;
  if (kind !== 'access' && kind !== 'portability')
    throw notExportable(request, `asks for ${kind.replaceAll('_', ' ')}, which no package answers`);
  const subject = await subjectOf(session, request);
  requireOpen(request);
  requireVerified(request);
  return { number: request.number, kind, subject };
}

/** The latest request for a child's data that is open and verified. Throws `not_found` where there is none. */
export async function requestForChild(session: Session, child: string): Promise<ExportableRequest> {
  const [found] = await session.query<{ number: string }>(sql`
    select r.number from privacy.requests r
    where r.child_id = ${child} and r.kind in ('access', 'portability') and r.state in ('open', 'in_progress') and r.identity_verified_at is not null
    order by r.opened_at desc limit 1`);
  if (found === undefined)
    throw refusal(
      'identity_not_verified',
      'No guardian of this child has an open request for its data with a verified identity.',
      'nestctl request list',
    );
  return await exportableRequest(session, found.number);
}

/** Whose package, before it is made: by a request that it answers, an account or a child. Throws `needs_input` for none. */
export async function packageSubject(
  session: Session,
  of: {
    readonly request?: string | undefined;
    readonly user?: string | undefined;
    readonly child?: string | undefined;
  },
  command: 'export plan' | 'export review',
): Promise<{ readonly subject: PackageSubject; readonly request?: ExportableRequest }> {
  if (of.request !== undefined && (of.user ?? of.child) !== undefined)
    throw new NestctlError('A request names whom it is about: leave out --user and --child.', {
      kind: 'usage',
      code: 'person_named_twice',
    });
  if (of.user !== undefined) return { subject: { kind: 'user', id: of.user } };
  const request =
    of.request !== undefined
      ? await exportableRequest(session, of.request)
      : of.child !== undefined
        ? await requestForChild(session, of.child)
        : undefined;
  if (request !== undefined) return { subject: request.subject, request };
  throw new NestctlError('It was not said whose package.', {
    kind: 'needs_input',
    code: 'person_missing',
    next: `nestctl ${command} --help`,
  });
}

/**
 * That whoever asks for a child stands for it today: its package goes to nobody else. With a grant for its family.
 * Throws `not_a_guardian`.
 */
export async function requireStanding(
  session: Session,
  { number, subject }: ExportableRequest,
): Promise<Standing | undefined> {
  if (subject.kind !== 'child') return undefined;
  const { id, family } = subject;
  const { requester_user: user, requester_name: name } = await readRequest(session, number);
  const standing = await mayActFor(session, { family, id }, user === null ? { name: name ?? '' } : { user });
  if (standing.allowed) return standing;
  throw refusal(
    'not_a_guardian',
    `Whoever made ${number} may not be given the child's data. ${standing.sentence}`,
    `nestctl guardian list --family ${family} --child ${id}`,
  );
}

async function subjectOf(session: Session, request: DataRequest): Promise<PackageSubject> {
  const { number, user_id, child_id, requester, requester_user, requester_name, language, zone } = request;
  if (user_id !== null) return { kind: 'user', id: user_id };
  if (child_id === null)
    throw notExportable(
      request,
      'is about nobody with an account, and packages are made for accounts and for children',
    );
  if (requester !== 'guardian' || (requester_user ?? requester_name) === null)
    throw notExportable(
      request,
      'was made by nobody who is named as its guardian, and a child’s package goes to a guardian of record',
    );
  const { family } = await session.one<{ family: string }>(
    sql`select privacy.request_family(${number}) as family`,
  );
  return { kind: 'child', id: child_id, family, language, zone };
}

const notExportable = ({ number }: DataRequest, why: string) =>
  refusal('not_exportable', `Request ${number} ${why}.`, `nestctl request show ${number}`);

/** What a grant has to cover, and what the log is to say was looked at, for a package to be made. */
export function packageScope(subject: PackageSubject): { kind: 'family' | 'user'; id: string } {
  return subject.kind === 'child' ? { kind: 'family', id: subject.family } : { kind: 'user', id: subject.id };
}
