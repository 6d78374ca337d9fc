import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Context } from '../../src/platform/config/contexts.js';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import {
  type DataRequest,
  enterCode,
  openRequest,
  planCode,
  planOpening,
  planStep,
  type RequestWish,
  sendCode,
  showRequest,
  takeStep,
} from '../../src/privacy/index.js';
import { codeKey } from '../../src/privacy/requests/identity-code.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  codeIn,
  type MailServer,
  type MailServerWish,
  makeCertificate,
  startMailServer,
} from '../support/mail-server.js';
import { asService, makeFamily, makeGuardian, type SmallFamily } from '../support/small-world.js';

const REASON = 'a test of codes by e-mail';
const QUICK = { connect: 8_000, idle: 4_000, step: 15_000 };
const certificate = makeCertificate('localhost');

let database: TestDatabase;
let officer: Session;
let colleague: Session;
let family: SmallFamily;
let server: MailServer;

const sessionOf = async (duty: Duty) =>
  await openSession(await database.makeOperator(duty), { duty, reason: REASON });

const startServer = async (wish: MailServerWish = {}) => {
  await server?.stop();
  server = await startMailServer({ certificate, ...wish });
};

beforeAll(async () => {
  database = await createTestDatabase();
  [officer, colleague] = [await sessionOf('compliance'), await sessionOf('compliance')];
});
beforeEach(async () => {
  await startServer();
  family = await makeFamily(database, { name: 'Tremblay' });
  await asService(database, (service) =>
    service.query('update public.users set email_verified_at = now() where id = any ($1)', [
      [family.gran.id, family.core.id],
    ]),
  );
  for (const session of [officer, colleague])
    for (const user of [family.gran.id, family.core.id])
      await session.query(`select ops.open_access('read', $2, 'PRV-1', 60, null, $1)`, [user, REASON]);
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await Promise.all([officer?.close(), colleague?.close()]);
  await Promise.all([server?.stop(), database?.drop()]);
});

const open = async (more: Partial<RequestWish> = {}) =>
  await openRequest(
    officer,
    await planOpening(officer, {
      regime: 'pipeda',
      kind: 'access',
      subject: { kind: 'user', id: family.gran.id },
      asks: 'all you hold about me',
      channel: 'email',
      requester: 'self',
      received: () => new Date(),
      ...more,
    }),
  );
const context = (): Context =>
  ({
    name: 'test',
    kind: 'server',
    host: 'localhost',
    port: 5432,
    database: 'nestsync',
    user: 'nobody',
    mail: {
      host: 'localhost',
      port: server.port,
      tls: 'starttls',
      from: 'privacy@nestsync.example',
      ca_file: certificate.path,
    },
  }) as Context;
const plan = async ({ number }: Pick<DataRequest, 'number'>, session = officer) =>
  await planCode(session, context(), { number, seconds: 1_800 });
const send = async (request: Pick<DataRequest, 'number'>, session = officer) =>
  await sendCode(session, context(), await plan(request, session), QUICK);
const latest = () => {
  const letter = server.letters.at(-1);
  if (letter === undefined) throw new Error('no letter came');
  return letter;
};
const enter = async ({ number }: Pick<DataRequest, 'number'>, code: string, session = officer) =>
  await enterCode(
    session,
    await planStep(session, number, () => ({ verb: 'verify-identity', method: 'email_code', passed: true })),
    code,
  );
/** Another code than this one. */
const wrong = (code: string, by = 1) =>
  String((Number(code.replace(' ', '')) + by) % 10 ** 8).padStart(8, '0');
const stepsOf = async ({ number }: Pick<DataRequest, 'number'>) =>
  (await showRequest(officer, number)).steps.map(({ step, particulars }) =>
    [step, particulars.method, particulars.passed, particulars.trouble]
      .filter((part) => part !== undefined)
      .join(' '),
  );
const asOwner = async <T>(
  work: (query: (text: string, values?: unknown[]) => Promise<T[]>) => Promise<T[]>,
) =>
  await withConnection(database.superuser, async (superuser) => {
    await superuser.query('set session_replication_role = replica');
    return await work((text, values) => superuser.query(text, values));
  });

describe('a code by e-mail', () => {
  it.each([
    ['en', 'NestSync: confirm your request', /Nobody at NestSync will call you/],
    ['fr', 'NestSync : confirmez votre demande', /Personne chez NestSync ne vous téléphonera/],
  ] as const)('goes to the address of record in %s, and verifies', async (language, subject, never) => {
    const request = await open({ language });
    const sent = await send(request);
    const letter = latest();
    expect(letter).toMatchObject({ to: [family.gran.email], encrypted: true });
    const code = codeIn(letter);
    expect(code).toMatch(/^\d{4} \d{4}$/);
    for (const body of [letter.text, letter.html]) {
      expect(body).toContain(code);
      expect(body).toContain(request.number);
      expect(body).toMatch(never);
      expect(body).not.toMatch(/https?:|<img|<a /);
    }
    const [head = ''] = letter.raw.split('\r\n\r\n', 1);
    expect(head).toContain(subject);
    expect(head).toContain(`<${sent.code}@nestsync.example>`);
    expect(head).not.toContain(code.slice(0, 4) + code.slice(5));
    expect(letter.text.indexOf(code)).toBeGreaterThan(300);
    expect(sent).toMatchObject({ request: request.number, sent_to: `g…@example.ca` });

    const shown = await showRequest(officer, request.number);
    expect(shown.code).toMatchObject({ sending: 'sent', attempts_left: 3 });
    expect(shown.next).toBe(`nestctl request verify-identity ${request.number} --method email_code`);
    const verified = await enter(request, code.replace(' ', '-'), colleague);
    expect(verified.identity_verified_at).not.toBeNull();
    expect(await stepsOf(request)).toEqual([
      ...['opened', 'code_issued', 'code_sent'],
      'identity_checked email_code true',
    ]);
    const { steps } = await showRequest(officer, request.number);
    expect(steps.map(({ by }) => by).slice(1)).toEqual([
      officer.target.user,
      officer.target.user,
      colleague.target.user,
    ]);
    await expect(send(request)).rejects.toMatchObject({ code: 'identity_verified' });
  });

  it('is that of the guardian for a child, and of an address where the request is about one', async () => {
    await makeGuardian(database, { family: family.id, id: family.child }, family.core.id);
    await officer.query(`select ops.open_access('read', $2, 'PRV-1', 60, $1, null)`, [family.id, REASON]);
    const child = await open({
      subject: { kind: 'child', id: family.child, family: family.id },
      requester: 'guardian',
      requester_user: family.core.id,
      requester_contact: 'typed-in@example.com',
      language: 'fr',
    });
    await send(child);
    expect(latest().to).toEqual([family.core.email]);
    const code = codeIn(latest());
    // Who asks is one thing, whether they may another; neither counts as an attempt.
    await expect(enter(child, code)).rejects.toThrow(/what showed that they may/);
    const step = await planStep(officer, child.number, () => ({
      ...{ verb: 'verify-identity', method: 'email_code', passed: true, authority: 'guardian_of_record' },
    }));
    expect((await enterCode(officer, step, code)).identity_verified_at).not.toBeNull();

    const email = `oncle-${randomUUID()}@example.ca`;
    const uncle = await open({
      subject: { kind: 'address', email },
      zone: 'America/Toronto',
      language: 'fr',
    });
    await send(uncle);
    expect(latest().to).toEqual([email]);
    expect((await enter(uncle, codeIn(latest()))).identity_verified_at).not.toBeNull();
  });

  it('is sent to nobody who has no address on record, or one that proves nothing', async () => {
    const byName = await open({
      requester: 'representative',
      requester_name: 'Me Roy',
      requester_contact: 'roy@example.com',
    });
    await expect(send(byName)).rejects.toMatchObject({ code: 'no_address', exitCode: 6 });
    const change = async (set: string) =>
      await asService(database, (service) =>
        service.query(`update public.users set ${set} where id = $1`, [family.gran.id]),
      );
    const request = await open({ kind: 'portability' });
    const before = await plan(request);
    await change('email_verified_at = null');
    await expect(send(request)).rejects.toMatchObject({ code: 'address_unverified' });
    await change(`email_verified_at = now(), email = 'thief-${randomUUID()}@example.com'`);
    await expect(send(request)).rejects.toMatchObject({ code: 'address_changed' });
    // Planned before: the database refuses it all the same.
    await expect(sendCode(officer, context(), before, QUICK)).rejects.toMatchObject({ exitCode: 6 });
    expect(server.letters).toEqual([]);
    expect(await stepsOf(request)).toEqual(['opened']);
  });
});

describe('a wrong code', () => {
  it('counts, with failed attestations, up to three within 24 hours; then the right one does not help', async () => {
    const request = await open();
    await send(request);
    const code = codeIn(latest());
    await expect(enter(request, '12345')).rejects.toMatchObject({ code: 'not_a_code', exitCode: 2 });
    await expect(enter(request, wrong(code))).rejects.toMatchObject({
      code: 'wrong_code',
      exitCode: 4,
      hint: expect.stringContaining('2 attempts'),
    });
    await takeStep(
      officer,
      await planStep(officer, request.number, () => ({
        ...{ verb: 'verify-identity', method: 'known_facts', passed: false },
      })),
    );
    await expect(enter(request, wrong(code, 2), colleague)).rejects.toMatchObject({
      code: 'wrong_code',
      hint: expect.stringContaining('the last'),
    });
    await expect(enter(request, code)).rejects.toMatchObject({ code: 'quota_exceeded', exitCode: 4 });
    await expect(send(request)).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(await stepsOf(request)).toEqual([
      ...['opened', 'code_issued', 'code_sent', 'identity_checked email_code false'],
      ...['identity_checked known_facts false', 'identity_checked email_code false'],
    ]);
  });

  it('is that of an earlier letter, of another request, and one that has expired is none', async () => {
    const [request, other] = [await open(), await open({ kind: 'deletion' })];
    await send(request);
    const earlier = codeIn(latest());
    await send(request);
    const code = codeIn(latest());
    await expect(enter(request, earlier)).rejects.toMatchObject({ code: 'wrong_code' });
    await send(other);
    await expect(enter(other, code)).rejects.toMatchObject({ code: 'wrong_code' });
    await asOwner((query) =>
      query(
        `update privacy.identity_codes set issued_at = issued_at - interval '31 minutes', expires_at = expires_at - interval '31 minutes' where request_id = $1`,
        [request.id],
      ),
    );
    await expect(enter(request, code)).rejects.toMatchObject({ code: 'code_expired', exitCode: 6 });
    expect((await showRequest(officer, request.number)).code).toBeNull();
    const none = await open({ kind: 'correction' });
    await expect(enter(none, code)).rejects.toMatchObject({ code: 'no_code' });
    for (const one of [request, other])
      expect((await stepsOf(one)).filter((step) => step.endsWith('false'))).toHaveLength(1);
  });

  it('five letters a day are the most', async () => {
    const request = await open();
    for (let sent = 0; sent < 5; sent += 1) await send(request);
    await expect(send(request)).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(server.letters).toHaveLength(5);
  });
});

describe('what becomes of the letter', () => {
  it.each([
    ['recipient', 'mail_recipient_refused'],
    ['later', 'mail_deferred'],
    ['refused-after-data', 'mail_refused'],
    ['stalls-at-recipient', 'mail_unreachable'],
    ['drops-before-data', 'connection_lost'],
  ] as const)('where it could not be sent (%s) no code is good, and it is free', async (fault, code) => {
    await startServer({ fault });
    const request = await open();
    await expect(send(request)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('The code is void'),
    });
    expect(await stepsOf(request)).toEqual(['opened', 'code_issued', `code_not_sent ${code}`]);
    expect((await showRequest(officer, request.number)).code).toBeNull();
    await expect(enter(request, '00000000')).rejects.toMatchObject({ code: 'no_code' });
    const [left] = await officer.query<{ codes_left: string }>(
      'select codes_left from privacy.identity_code($1)',
      [request.number],
    );
    expect(Number(left?.codes_left)).toBe(5);
  });

  it.each([
    ['no-starttls', 'tls_refused'],
    [undefined, 'mail_login_refused'],
  ] as const)('where the server is not what it should be (%s) no code is issued', async (fault, code) => {
    await startServer({ login: { user: 'nestsync', password: 'right' }, ...(fault && { fault }) });
    const request = await open();
    vi.stubEnv('MAIL_PASSWORD', 'wrong');
    const { mail, ...rest } = context();
    const withLogin = {
      ...rest,
      mail: { ...mail, user: 'nestsync', password_env: 'MAIL_PASSWORD' },
    } as Context;
    await expect(sendCode(officer, withLogin, await plan(request), QUICK)).rejects.toMatchObject({ code });
    expect(await stepsOf(request)).toEqual(['opened']);
  });

  it.each(['drops-after-data', 'stalls-after-data'] as const)(
    'where nobody knows (%s) says so, and the code is good if it arrives',
    async (fault) => {
      await startServer({ fault });
      const request = await open();
      await expect(send(request)).rejects.toMatchObject({ code: 'mail_unsure', exitCode: 9 });
      expect(await stepsOf(request)).toEqual(['opened', 'code_issued', 'code_unsure']);
      expect((await showRequest(officer, request.number)).code).toMatchObject({ sending: 'unknown' });
      expect((await enter(request, codeIn(latest()))).identity_verified_at).not.toBeNull();
    },
  );
});

describe('two officers at once', () => {
  it('send one code, since the second would replace one that its plan did not show', async () => {
    const request = await open();
    const plans = await Promise.all([plan(request), plan(request, colleague)]);
    const outcomes = await Promise.allSettled(
      plans.map((one, at) => sendCode(at === 0 ? officer : colleague, context(), one, QUICK)),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(server.letters).toHaveLength(1);
    expect((await enter(request, codeIn(latest()))).identity_verified_at).not.toBeNull();
  });

  it('have three attempts between them, however many they make side by side', async () => {
    const request = await open();
    await send(request);
    const code = codeIn(latest());
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6].map((by) => enter(request, wrong(code, by), by % 2 === 0 ? officer : colleague)),
    );
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect((await stepsOf(request)).filter((step) => step.endsWith('false'))).toHaveLength(3);
  });
});

describe('hand-written SQL', () => {
  const prepared = async () => {
    const request = await open();
    await send(request);
    const code = codeIn(latest());
    const { salt } = await officer.one<{ salt: Buffer }>('select salt from privacy.identity_code($1)', [
      request.number,
    ]);
    const { seen } = (await showRequest(officer, request.number)).request;
    const key = async (guess: string) => await codeKey(guess.replace(' ', ''), salt);
    const enterIt = async (guess: string, session = officer) =>
      (
        await session.one<{ entry: string }>(
          'select privacy.enter_identity_code($1, $2, $3, null, null) as entry',
          [request.number, seen, await key(guess)],
        )
      ).entry;
    const judge = async (entry: string, session = officer) =>
      (
        await session.one<{ passed: boolean }>(
          'select privacy.judge_identity_code($1, null, null) as passed',
          [entry],
        )
      ).passed;
    return { request, code, seen, key, enterIt, judge };
  };

  it('reads no code, salt or verifier: not in the tables, not in the log, under no duty', async () => {
    const { code } = await prepared();
    const kept = await asOwner<{ verifier: Buffer; salt: Buffer }>((query) =>
      query('select verifier, salt from privacy.identity_codes where verifier is not null'),
    );
    const secrets = [
      ...kept.flatMap(({ verifier, salt }) => [verifier.toString('hex'), salt.toString('hex')]),
      code.replace(' ', ''),
      code,
    ];
    for (const duty of ['support', 'compliance', 'sre', 'auditor', 'admin'] as const) {
      const session = await sessionOf(duty);
      for (const table of ['identity_codes', 'code_entries'])
        for (const statement of [
          `select * from privacy.${table}`,
          `select count(*) from privacy.${table}`,
          `copy privacy.${table} to stdout`,
          `update privacy.${table} set id = id`,
        ])
          await expect(session.query(statement), `${duty}: ${statement}`).rejects.toMatchObject({
            exitCode: 4,
          });
      await session.close();
    }
    const events = await withConnection(database.owner, (owner) =>
      owner.query<{ event: string }>(
        `select e::text as event from audit.events e where e.table_name ~ '^privacy[.]'`,
      ),
    );
    expect(events.some(({ event }) => event.includes('identity_codes'))).toBe(true);
    for (const { event } of events) for (const secret of secrets) expect(event.includes(secret)).toBe(false);
  });

  it('learns nothing of an entry before it is committed, and takes no attempt back', async () => {
    const { request, code, enterIt, judge } = await prepared();
    // In one transaction, with a savepoint too: nothing is judged.
    await officer.query('begin');
    const early = await enterIt(code);
    await officer.query('savepoint s');
    await expect(judge(early)).rejects.toMatchObject({ code: 'no_grant' });
    await officer.query('rollback');
    expect(await stepsOf(request)).toEqual(['opened', 'code_issued', 'code_sent']);
    // Judged and rolled back over and over: the same answer, and it counts as an attempt all the while.
    const entry = await enterIt(wrong(code));
    for (let again = 0; again < 4; again += 1) {
      await officer.query('begin');
      expect(await judge(entry)).toBe(false);
      await officer.query('rollback');
    }
    await expect(judge(entry, colleague)).rejects.toMatchObject({ exitCode: 4 });
    await enterIt(wrong(code, 2));
    await enterIt(wrong(code, 3));
    await expect(enterIt(code)).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect((await showRequest(officer, request.number)).code).toMatchObject({ attempts_left: 0 });
    expect((await showRequest(officer, request.number)).request.identity_verified_at).toBeNull();
  });

  it('does not outrun the limit from an old snapshot, nor attest a code, nor judge what it did not enter', async () => {
    const { request, code, seen, enterIt } = await prepared();
    for (const level of ['repeatable read', 'serializable']) {
      await officer.query(`begin isolation level ${level}`);
      await expect(enterIt(wrong(code)), level).rejects.toThrow(/read committed/);
      await officer.query('rollback');
    }
    await expect(
      officer.query(`select privacy.check_identity($1, $2, 'email_code', null, null, true, null)`, [
        request.number,
        seen,
      ]),
    ).rejects.toMatchObject({ exitCode: 2 });
    await expect(
      officer.query('select privacy.judge_identity_code($1, null, null)', [randomUUID()]),
    ).rejects.toThrow();
    for (const statement of [
      `select private.take_identity_step(r, 'email_code', null, null, true, null) from privacy.requests r`,
      'select private.code_address(r) from privacy.requests r',
      `update privacy.requests set identity_verified_at = now()`,
    ])
      await expect(officer.query(statement), statement).rejects.toMatchObject({ exitCode: 4 });
    for (const duty of ['support', 'sre', 'auditor', 'admin'] as const) {
      const session = await sessionOf(duty);
      await expect(enterIt(code, session), duty).rejects.toMatchObject({ exitCode: 4 });
      await session.close();
    }
  });

  it('learns no address but of a code of its own that is on record, and for two minutes', async () => {
    const request = await open();
    const { seen } = request;
    const issue = `select privacy.issue_identity_code($1, $2, null, decode(repeat('00', 16), 'hex'), decode(repeat('00', 32), 'hex'), interval '1 hour') as code`;
    await officer.query('begin');
    const { code: undone } = await officer.one<{ code: string }>(issue, [request.number, seen]);
    await officer.query('savepoint s');
    await expect(officer.query('select privacy.identity_code_address($1)', [undone])).rejects.toMatchObject({
      code: 'no_grant',
    });
    await officer.query('rollback');
    const { code } = await officer.one<{ code: string }>(issue, [request.number, seen]);
    const ask = async (session: Session) =>
      (await session.one<{ to: string }>('select privacy.identity_code_address($1) as to', [code])).to;
    expect(await ask(officer)).toBe(family.gran.email);
    await expect(ask(colleague)).rejects.toMatchObject({ code: 'no_grant' });
    await asOwner((query) =>
      query(`update privacy.identity_codes set issued_at = issued_at - interval '3 minutes' where id = $1`, [
        code,
      ]),
    );
    await expect(ask(officer)).rejects.toMatchObject({ code: 'no_grant' });
  });

  it('goes on with an entry that a killed console has left', async () => {
    const { request, code, enterIt } = await prepared();
    const left = await enterIt(code);
    expect((await showRequest(officer, request.number)).code).toMatchObject({ attempts_left: 2 });
    expect(await enterIt(code)).toBe(left);
    expect((await enter(request, code)).identity_verified_at).not.toBeNull();
    expect((await stepsOf(request)).filter((step) => step.startsWith('identity_checked'))).toEqual([
      'identity_checked email_code true',
    ]);
  });
});
