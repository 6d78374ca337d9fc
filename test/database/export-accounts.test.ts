import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { CODES } from '../../src/privacy/export/account-codes.js';
import { ABOUT } from '../../src/privacy/export/account-words.js';
import {
  closeComplaint,
  correct,
  openRequest,
  planClosing,
  planComplaint,
  planCorrection,
  planNotice,
  planOpening,
  planStep,
  type RequestWish,
  recordComplaint,
  recordNotice,
  type StepWish,
  takeStep,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import {
  answerRequest,
  asCompliance,
  openRequestForChild,
  openRequestOf,
  unzip,
  writeExport,
} from '../support/packages.js';
import { asService, makeFamily, makeGuardian, type SmallFamily } from '../support/small-world.js';

type Row = Record<string, unknown>;

let database: TestDatabase;
let officer: ConnectionTarget;
let support: ConnectionTarget;
let admin: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  [officer, support, admin] = [
    await database.makeOperator('compliance'),
    await database.makeOperator('support'),
    await database.makeOperator('admin'),
  ];
  // Whoever works here is told of by their duty, never by name.
  await asOwner(
    `update ops.operators set display_name = 'Zebulon ' || login, email = 'zebulon.' || login || '@staff.example'`,
  );
});
afterAll(() => database?.drop());

const asOwner = <R extends object = Row>(statement: string, values: unknown[] = []) =>
  withConnection(database.superuser, (superuser) => superuser.query<R>(statement, values));

async function as<T>(
  operator: ConnectionTarget,
  duty: Duty,
  work: (session: Session) => Promise<T>,
  reason = 'because SECRETREASON calls',
): Promise<T> {
  const session = await openSession(operator, { duty, reason, ticket: 'SECRET-TICKET-7' });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

const open = (session: Session, kind: string, scope: { family?: string; user?: string } = {}) =>
  session.query(`select ops.open_access($1, 'because SECRETREASON calls', 'SECRET-TICKET-7', 30, $2, $3)`, [
    ...[kind, scope.family ?? null, scope.user ?? null],
  ]);
const reading = (session: Session, family: string | null, user: string | null, marker = 'x') =>
  session.query(`select audit.record_reading('query', $1, $2, $3)`, [{ marker }, family, user]);

/** What a package tells, file by file. */
async function packageOf(person: string, kind: 'access' | 'portability' = 'access') {
  const file = join(temporaryFolder(), 'package.zip');
  const evidence = await newEvidence();
  const created = await asCompliance(officer, person, async (session) => {
    const made = await writeExport(session, evidence, person, file, kind);
    const sent: StepWish = { verb: 'fulfil', told: 'a package', answered_at: new Date() };
    await takeStep(session, await planStep(session, made.request, () => sent));
    return made;
  });
  return { created, ...told(await unzip(file)) };
}

function told(files: ReadonlyMap<string, string>) {
  const rows = (account: string) => JSON.parse(files.get(`account/${account}.json`) ?? '[]') as Row[];
  return {
    files,
    all: [...files.values()].join('\n'),
    use: rows('account_of_use'),
    disclosures: rows('disclosures'),
    requests: rows('requests'),
    manifest: JSON.parse(files.get('manifest.json') ?? ''),
    page: files.get('index.html') ?? '',
  };
}

const VERIFIED: StepWish = { verb: 'verify-identity', method: 'signed_in', passed: true };
async function request(session: Session, person: string, more: Partial<RequestWish> = {}) {
  const { number } = await openRequest(
    session,
    await planOpening(session, {
      ...{ regime: 'pipeda', kind: 'access', asks: 'all of it', channel: 'mail', requester: 'self' },
      ...{ subject: { kind: 'user', id: person }, zone: 'America/Toronto', language: 'en' },
      received: () => new Date(),
      ...more,
    }),
  );
  const step = async (wish: StepWish) => await takeStep(session, await planStep(session, number, () => wish));
  return { number, step };
}

const without = (row: Row | undefined, ...names: string[]) =>
  Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => !names.includes(name)));

describe('the account of use', () => {
  it('has each time that staff could look, looked or changed, by duty, and why; and nothing that was done about others', async () => {
    const family = await makeFamily(database, { name: 'Tremblay' });
    const strangers = await makeFamily(database, { name: 'Roy' });
    const me = family.core.id;
    await as(support, 'support', async (session) => {
      await open(session, 'read', { family: family.id });
      await open(session, 'read', { user: family.gran.id });
      await open(session, 'read', { family: strangers.id });
      await open(session, 'directory');
      for (const [looking, by, query] of [
        ['person', 'email', family.core.email.toUpperCase()],
        ['person', 'email', family.gran.email],
        ['person', 'id', me],
        ['family', 'id', family.id],
        ['family', 'id', strangers.id],
      ])
        await session.query('select ops.look_up($1, $2, $3)', [looking, by, query]);
      await reading(session, family.id, null);
      await reading(session, family.id, family.gran.id, 'MARKERGRAN');
      await reading(session, strangers.id, null, 'MARKERROY');
      await reading(session, null, null, `about ${me}`);
    });
    await as(admin, 'admin', async (session) => {
      await open(session, 'break_glass');
      await open(session, 'read', { family: family.id });
      await session.query(`update public.families set description = 'mended' where id = $1`, [family.id]);
      await session.query(`update public.family_members set status = 'suspended' where user_id = $1`, [
        family.gran.id,
      ]);
      await session.query(`update public.usage_logs set notes = 'MARKERCHILD' where family_id = $1`, [
        family.id,
      ]);
      await session.query(`update public.families set description = 'MARKERROY' where id = $1`, [
        strangers.id,
      ]);
    });
    const asked = await openSession(officer, { duty: 'compliance', reason: 'because SECRETREASON calls' });
    await open(asked, 'read', { user: me });
    const { number } = await request(asked, me, { kind: 'consent_withdrawal' });
    await asked.close();
    const { use, files, all, page, manifest } = await packageOf(me);
    const counted = (what: string) => use.filter((row) => row.what === what);
    expect(
      counted('could_see')
        .map(({ duty, scope }) => `${duty} ${scope}`)
        .sort(),
    ).toEqual(['admin household', 'compliance self', 'compliance self', 'support household']);
    expect(counted('could_see').find(({ duty }) => duty === 'support')).toMatchObject({
      tables: expect.arrayContaining(['users', 'usage_logs']),
      ...{ why: 'ticket', request: null, until: expect.any(String) },
    });
    expect(counted('break_glass')).toMatchObject([{ duty: 'admin', scope: 'everybody', why: 'ticket' }]);
    expect(
      counted('looked_up')
        .map(({ scope }) => scope)
        .sort(),
    ).toEqual(['household', 'self', 'self']);
    expect(
      counted('log_read')
        .map(({ scope, duty }) => `${duty} ${scope}`)
        .sort(),
    ).toEqual(['support household', 'support self']);
    expect(counted('changed').map((row) => without(row, 'at'))).toEqual([
      {
        ...{ until: null, duty: 'admin', what: 'changed', operation: 'update', tables: ['public.families'] },
        ...{ scope: 'household', why: 'ticket', request: null },
      },
    ]);
    // What was recorded about a request, without a ticket of its own, was done for that request.
    expect(
      counted('recorded')
        .filter(({ why }) => why === 'request')
        .map((row) => row.request),
    ).toContain(number);
    expect(use.map(({ at }) => at)).toEqual(
      use
        .map(({ at }) => at)
        .sort()
        .reverse(),
    );
    for (const word of [
      ...['Zebulon', 'zebulon', 'SECRETREASON', 'SECRET-TICKET-7', 'MARKERGRAN', 'MARKERROY', 'MARKERCHILD'],
      ...[support.user, admin.user, officer.user, family.gran.email, family.gran.id, strangers.id],
    ])
      expect(all.includes(word), word).toBe(false);

    const listed = manifest.files.filter(({ table }: Row) => table === 'account_of_use');
    expect(listed.map(({ path, rows, origin }: Row) => [path, rows, origin])).toEqual([
      ['account/account_of_use.json', use.length, 'account'],
      ['account/account_of_use.csv', use.length, 'account'],
    ]);
    expect((files.get('account/account_of_use.csv') ?? '').trim().split('\r\n')).toHaveLength(use.length + 1);
    expect(page).toContain('What our staff did with this data');
    expect(page).toContain('could look at everybody’s data in an emergency');
  });

  it('has what was done in the place of the person, and keeps quiet about households that they left', async () => {
    const family = await makeFamily(database, { name: 'Gagnon' });
    const me = family.gran.id;
    await as(admin, 'admin', async (session) => {
      await open(session, 'impersonation', { user: me });
      await session.query(
        `select ops.open_access('read', 'because SECRETREASON calls', 'SECRET-TICKET-7', 30, $1)`,
        [family.id],
      );
    });
    expect((await packageOf(me)).use.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['could_act', 'could_see']),
    );
    await asService(database, (service) =>
      service.query(`update public.family_members set status = 'removed' where user_id = $1`, [me]),
    );
    const after = (await packageOf(me)).use;
    expect(after.filter(({ scope }) => scope === 'household')).toEqual([]);
    expect(after.map(({ what }) => what)).toContain('could_act');
  });

  it('has of a package that takes elsewhere what was provided nothing', async () => {
    const { core } = await makeFamily(database, { name: 'Lavoie' });
    const { files, page } = await packageOf(core.id, 'portability');
    expect([...files.keys()].filter((path) => path.includes('account/'))).toEqual([]);
    expect(page).not.toContain('What our staff did');
  });
});

describe('disclosures', () => {
  it('are packages and shares, corrections told, parties consulted, messages sent; what is only possible is said to be', async () => {
    const family = await makeFamily(database, { name: 'Bouchard' });
    const me = family.core.id;
    await asService(database, async (service) => {
      await service.query(`update public.users set last_name = 'Roi', phone_number = null where id = $1`, [
        me,
      ]);
      for (const [person, title, channel, sent] of [
        [me, 'To me', 'email', 'now()'],
        [me, 'Never sent', 'push', 'null'],
        [family.gran.id, 'MARKERGRAN', 'sms', 'now()'],
      ])
        await service.query(
          `insert into public.notification_logs (user_id, notification_type, channel, title, message, sent_at) values ($1, 'reminder', $2, $3, 'm', ${sent})`,
          [person, channel, title],
        );
      for (const [person, third] of [
        [me, 'Diaper Club Inc.'],
        [family.gran.id, 'MARKERCLUB'],
      ])
        await service.query(
          `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at, purpose, legal_basis, data_categories, third_parties, jurisdiction, consent_method)
           values ($1, 'data_sharing', 'granted', '1', now(), 'offers', 'consent', '{contact}', array[$2], 'CA', 'form')`,
          [person, third],
        );
    });
    const first = await packageOf(me);
    await asCompliance(officer, me, async (session) => {
      const share = randomUUID();
      await session.query('select privacy.begin_share($1, $2, $3, $4)', [
        ...[first.created.id, share, 'a'.repeat(64), 'ca-central-1'],
      ]);
      await session.query(`select privacy.record_share($1, now(), now() + interval '3 days', 'exports/2')`, [
        share,
      ]);
      await session.query(`select privacy.record_revocation($1, 1, 'exports/3')`, [share]);
      const { number, step } = await request(session, me, { kind: 'correction', asks: 'my name is Roy' });
      await step(VERIFIED);
      await step({ verb: 'consult', party: 'processor', answer: 'consents' });
      const wish = {
        number,
        table: 'public.users',
        row: me,
        column: 'last_name',
        how: { amend: 'Roy' },
      } as const;
      await correct(session, await planCorrection(session, wish));
      await recordNotice(session, await planNotice(session, number, { recipient: 'payments' }));
    });
    const { disclosures, all } = await packageOf(me);
    const short = disclosures.map(({ recipient, what, known }) => `${recipient} ${what} ${known}`);
    expect(short.sort()).toEqual(
      [
        'email message recorded',
        'email processor possible',
        'payments correction_told recorded',
        'payments processor possible',
        'processor consultation recorded',
        'push processor possible',
        'subject package_made recorded',
        'subject package_shared recorded',
        'third_party consented possible',
      ].sort(),
    );
    const one = (what: string, recipient?: string) =>
      disclosures.find(
        (row) => row.what === what && (recipient === undefined || row.recipient === recipient),
      );
    expect(one('package_shared')).toMatchObject({
      ...{ region: 'ca-central-1', request: first.created.request },
      ...{ until: expect.any(String), ended_at: expect.any(String) },
    });
    expect(one('correction_told')).toMatchObject({ data: ['public.users.last_name'], organization: null });
    expect(one('consented')).toMatchObject({ organization: 'Diaper Club Inc.', data: ['contact'] });
    // A column in which the person has nothing was given to nobody.
    expect(one('processor', 'payments')).toMatchObject({
      at: null,
      data: ['public.users.email', 'public.users.last_name'],
    });
    for (const word of ['MARKERGRAN', 'MARKERCLUB']) expect(all.includes(word), word).toBe(false);
  });
});

describe('the history of requests', () => {
  it('has every step of each, with dates, codes and words; and not one of anybody else’s', async () => {
    const family = await makeFamily(database, { name: 'Côté' });
    const me = family.core.id;
    await asService(database, (service) =>
      service.query(`update public.users set first_name = 'Philomène' where id = $1`, [family.gran.id]),
    );
    const received = new Date(Date.now() - 20 * 86_400_000);
    const session = await openSession(officer, { duty: 'compliance', reason: 'because SECRETREASON calls' });
    let number = '';
    try {
      for (const user of [me, family.gran.id]) await open(session, 'read', { user });
      const mine = await request(session, me, { asks: 'what Philomène wrote', received: () => received });
      number = mine.number;
      await mine.step({ verb: 'verify-identity', method: 'known_facts', passed: false });
      await mine.step(VERIFIED);
      await mine.step({
        ...{
          verb: 'extend',
          ground: 'consultation',
          days: 10,
          notice_at: new Date(),
          told: 'we ask Philomène',
        },
      });
      await mine.step({ verb: 'consult', party: 'other_member', answer: 'objects' });
      await mine.step({ verb: 'cost', amount: '12.50', told: 'copies' });
      await mine.step({ verb: 'cost', settled: 'accepted' });
      await mine.step({
        ...{ verb: 'refuse', code: 'claim_not_covered', told: 'these words are those of Philomène' },
        ...{ recourse_told: true, answered_at: new Date() },
      });
      await recordComplaint(session, await planComplaint(session, { number, body: 'commissioner' }));
      await closeComplaint(
        session,
        await planClosing(session, { number, body: 'commissioner', outcome: 'resolved' }),
      );
      const theirs = await request(session, family.gran.id, { asks: 'MARKERASKS', kind: 'deletion' });
      await theirs.step({
        ...{ verb: 'refuse', code: 'other', told: 'MARKERTOLD is the reason', recourse_told: true },
        answered_at: new Date(),
      });
      number = mine.number;
    } finally {
      await session.close();
    }
    const { requests, all, page } = await packageOf(me);
    const steps = requests.filter((row) => row.request === number).reverse();
    expect(steps.map(({ event }) => event)).toEqual([
      ...['opened', 'identity_checked', 'identity_checked', 'extended', 'consulted', 'cost_told'],
      ...['cost_accepted', 'denied', 'complaint_opened', 'complaint_closed'],
    ]);
    expect(steps.map(({ detail }) => detail)).toEqual([
      ...[null, 'known_facts/failed', 'signed_in/passed', 'consultation', 'other_member/objects', null, null],
      ...[null, 'commissioner', 'commissioner/resolved'],
    ]);
    expect(steps[0]).toMatchObject({ kind: 'access', state: 'denied', channel: 'mail', requester: 'self' });
    expect(String(steps[0]?.told)).toMatch(/^what (Relative|Parent) \d wrote$/);
    expect(steps[5]).toMatchObject({ amount: 12.5, told: 'copies' });
    expect(steps[7]).toMatchObject({ reason: 'claim_not_covered', until: expect.stringMatching(/^\d{4}-/) });
    for (const word of [
      'MARKERASKS',
      'MARKERTOLD',
      'SECRETREASON',
      'Philom',
      'Zebulon',
      'zebulon',
      officer.user,
    ])
      expect(all.includes(word), word).toBe(false);
    expect(page).toContain('what you ask for is not covered by the right you invoke');
    expect(page).toContain('a complaint ended');
  });
});

it('whoever asks in the place of a person stands under another name in their package', async () => {
  const family = await makeFamily(database, { name: 'Lavoie' });
  const session = await openSession(officer, { duty: 'compliance', reason: 'because somebody asks for her' });
  try {
    await open(session, 'read', { user: family.core.id });
    const { step } = await request(session, family.core.id, {
      ...{ requester: 'representative', requester_name: 'Zénaïde Quirion' },
      ...{ requester_contact: 'zenaide@quirion.example', kind: 'deletion' },
      asks: 'Me Quirion asks; write to zenaide@quirion.example',
    });
    await step({ verb: 'cost', amount: '5.00', told: 'told Zénaïde on the telephone' });
  } finally {
    await session.close();
  }
  const { requests, all } = await packageOf(family.core.id);
  expect(requests.map(({ told: words }) => words).sort()).toEqual(
    expect.arrayContaining([
      'Me Representative 1 asks; write to Representative 1',
      'told Representative 1 on the telephone',
    ]),
  );
  for (const word of ['Quirion', 'quirion', 'naïde', 'zenaide']) expect(all.includes(word), word).toBe(false);
});

describe('the accounts of a child', () => {
  it('are about that child alone, for whichever guardian asks, in nobody’s words', async () => {
    const family = await makeFamily(database, { name: 'Pelletier' });
    const { id, child, core, gran } = family;
    const sibling = randomUUID();
    await asOwner(
      `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, 'MARKERSIBLING', '2024-02-03')`,
      [id, sibling],
    );
    const logs = await asOwner<{ id: string }>(
      `insert into public.usage_logs (family_id, child_id, usage_type, notes) values ($1, $2, 'diaper_change', 'x'), ($1, $3, 'diaper_change', 'y') returning id`,
      [id, child, sibling],
    );
    for (const guardian of [core.id, gran.id])
      await makeGuardian(database, { family: id, id: child }, guardian);
    await as(admin, 'admin', async (session) => {
      await open(session, 'read', { family: id });
      await open(session, 'read', { user: core.id });
      await session.query(`update public.usage_logs set product_rating = 4 where id = any ($1)`, [
        logs.map((row) => row.id),
      ]);
      await session.query(`update public.children set name = 'Léa-Rose' where id = $1`, [child]);
      await session.query(`delete from public.usage_logs where id = $1`, [logs[1]?.id]);
      await session.query(`delete from public.usage_logs where id = $1`, [logs[0]?.id]);
      await reading(session, id, null);
      await reading(session, null, core.id, 'MARKERCORE');
    });
    const file = join(temporaryFolder(), 'package.zip');
    await asCompliance(officer, { family: id }, async (session) => {
      const theirs = await openRequestForChild(session, { family: id, id: child }, core.id, {
        kind: 'portability',
      });
      await takeStep(
        session,
        await planStep(session, theirs, () => ({
          verb: 'fulfil',
          told: 'MARKERTOLD',
          answered_at: new Date(),
        })),
      );
      const number = await openRequestForChild(session, { family: id, id: child }, gran.id);
      await openRequestOf(session, core.id);
      await answerRequest(session, await newEvidence(), number, file);
    });
    const { use, requests, disclosures, all } = told(await unzip(file));
    expect(
      use
        .filter(({ what }) => what === 'changed')
        .map(({ tables, operation, scope }) => `${scope} ${operation} ${(tables as string[])[0]}`),
    ).toEqual(
      expect.arrayContaining([
        'child delete public.usage_logs',
        'child update public.usage_logs',
        'child update public.children',
      ]),
    );
    expect(use.filter(({ what }) => what === 'changed')).toHaveLength(3);
    expect(use.filter(({ what, duty }) => what === 'could_see' && duty === 'admin')).toHaveLength(1);
    expect(use.filter(({ what }) => what === 'log_read')).toHaveLength(1);
    expect(new Set(requests.map(({ kind }) => kind))).toEqual(new Set(['access', 'portability']));
    expect(requests.every(({ told: words }) => words === null)).toBe(true);
    expect(disclosures).toEqual([]);
    for (const word of ['MARKERSIBLING', 'MARKERCORE', 'MARKERTOLD', core.id, gran.id, core.email, 'Zebulon'])
      expect(all.includes(word), word).toBe(false);
  });
});

describe('codes', () => {
  it('are all explained, and every column is: those of the functions, of the checks of tables, of the register of recipients', async () => {
    const columns = await asOwner<{ account: keyof typeof ABOUT; name: string }>(
      `select substr(p.proname, 9) as account, o.name from pg_proc p cross join unnest(p.proargnames, p.proargmodes) o (name, mode)
       where p.pronamespace = 'private'::regnamespace and p.proname = any ('{package_account_of_use,package_disclosures,package_requests}') and o.mode = 't'`,
    );
    expect(columns.length).toBe(Object.values(ABOUT).flatMap((one) => Object.keys(one)).length);
    for (const { account, name } of columns) expect(ABOUT[account][name], `${account}.${name}`).toBeDefined();
    const codes = async (table: string, column: string) =>
      (
        await asOwner<{ code: string }>(
          `select distinct m[1] as code from pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([a-z_0-9]+)''', 'g') m
           where k.conrelid = $1::regclass and k.contype = 'c' and pg_get_constraintdef(k.oid) ~ ('\\(' || $2 || ' = ANY') and array_length(k.conkey, 1) = 1`,
          [table, column],
        )
      ).map(({ code }) => code);
    for (const [account, named, table, column, besides] of [
      ['account_of_use', 'duty', 'ops.duty_permissions', 'duty', []],
      ['requests', 'kind', 'privacy.requests', 'kind', []],
      ['requests', 'regime', 'privacy.requests', 'regime', []],
      ['requests', 'channel', 'privacy.requests', 'channel', []],
      ['requests', 'event', 'privacy.request_steps', 'step', []],
      ['requests', 'detail', 'privacy.complaints', 'body', []],
      ['requests', 'detail', 'privacy.complaints', 'outcome', []],
      ['disclosures', 'recipient', 'public.notification_logs', 'channel', []],
    ] as const) {
      const found = await codes(table, column);
      expect(found.length, `${table}.${column}`).toBeGreaterThan(1);
      for (const code of [...found, ...besides])
        expect(CODES[account][named]?.[code], `${account}.${named}: ${code}`).toBeDefined();
    }
    const recipients = await asOwner<{ recipient: string }>('select recipient from privacy.recipients');
    for (const { recipient } of recipients) {
      expect(CODES.disclosures.recipient?.[recipient], recipient).toBeDefined();
      expect(CODES.requests.detail?.[recipient], recipient).toBeDefined();
    }
    const literals = await asOwner<{ words: string[] }>(
      `select array(select distinct m[1] from regexp_matches(p.prosrc, '''([a-z_]+)''', 'g') m) as words from pg_proc p where p.oid = 'private.package_account_of_use(uuid,text)'::regprocedure`,
    );
    for (const code of Object.keys(CODES.account_of_use.what ?? {}))
      expect(literals[0]?.words).toContain(code);
  });
});

describe('no account', () => {
  it('is told without a grant for this very person, nor under another duty, nor any other column', async () => {
    const { core, gran } = await makeFamily(database, { name: 'Fortin' });
    const other: SmallFamily['core'] = gran;
    await asCompliance(officer, other.id, async (session) => {
      for (const statement of [
        'select * from privacy.package_accounts($1)',
        `select * from privacy.package_account($1, 'requests', '{told}') as t (given integer, told text)`,
      ])
        await expect(session.query(statement, [core.id])).rejects.toMatchObject({ code: 'no_grant' });
      for (const [account, columns] of [
        ['requests', '{told,secret}'],
        ['requests', '{}'],
        ['rows', '{told}'],
        ['conditions', '{account}'],
      ])
        await expect(
          session.query(`select * from privacy.package_account($1, $2, $3) as t (given integer, told text)`, [
            other.id,
            account,
            columns,
          ]),
        ).rejects.toThrow(/no such account/);
    });
    for (const duty of ['support', 'admin'] as const)
      await as(duty === 'support' ? support : admin, duty, async (session) => {
        await expect(
          session.query('select * from privacy.package_accounts($1)', [core.id]),
        ).rejects.toMatchObject({ kind: 'not_allowed' });
      });
  });
});
