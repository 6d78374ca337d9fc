import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type ErasingConsole, erasingConsole, REPLAY } from '../support/erasing-console.js';
import { temporaryFolder } from '../support/evidence.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { type Backup, backUp } from '../support/restore.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'restored to 14:01:58 of today', '--ticket', 'OPS-9'];

let database: TestDatabase;
let erasing: ErasingConsole;
let me: OperatorConsole;
/** Who runs maintenance, with the keys of the same console. */
let sre: OperatorConsole;
beforeAll(async () => {
  database = await createTestDatabase();
  erasing = await erasingConsole(database);
  me = erasing.me;
  sre = await operatorConsole(database, { operator: await database.makeOperator('sre'), owner: false });
});
afterAll(() => database?.drop());

const query = <Row extends object = Record<string, unknown>>(statement: string, values: unknown[] = []) =>
  withConnection(database.superuser, (connection) => connection.query<Row>(statement, values));
const change = (statement: string, values: unknown[] = []) =>
  asService(database, (connection) => connection.query(statement, values));

/** Maintenance of this one job; returns what it says. */
async function enter() {
  const { body } = await sre.json(['maintenance', 'run', '--job', 'decisions', ...WHY], {
    env: { NESTCTL_HOME: me.env.NESTCTL_HOME ?? '' },
  });
  return body.result.jobs[0];
}

const verify = () => me.json(['erasure', 'ledger', 'verify', ...WHY]);

/** Replays, has the other officer approve what waits, and runs it again. */
async function replay(...more: string[]) {
  const first = await me.json([...REPLAY, ...more]);
  expect(first.body.result, JSON.stringify(first.body)).toBeDefined();
  const { approval } = first.body.result.decisions;
  const granted = await erasing.other.json(['approval', 'grant', approval, ...WHY, '--yes']);
  expect(granted.code, JSON.stringify(granted.body)).toBe(0);
  const done = await me.json([...REPLAY, ...more]);
  expect(done.body.result, JSON.stringify(done.body)).toBeDefined();
  return { first, done };
}

const memberOf = async ({ id, gran }: SmallFamily) =>
  (
    await query(
      'select status, role, access_expires_at, denied_permissions from public.family_members where family_id = $1 and user_id = $2',
      [id, gran.id],
    )
  )[0];

describe('restored to before what was decided', () => {
  let backup: Backup;
  let removed: SmallFamily;
  let less: SmallFamily;
  let back: SmallFamily;
  let mistaken: SmallFamily[];
  let held: SmallFamily;
  let staff: string;
  let hold: string;
  let grant: string;
  let mistake: string;
  const invitation = 'a1a1a1a1-0000-4000-8000-000000000001';
  const at = (family: SmallFamily) => [family.id, family.gran.id];

  beforeAll(async () => {
    [removed, less, back, held] = (await Promise.all(
      ['Ouellet', 'Gagnon', 'Roy', 'Lavoie'].map((name) => makeFamily(database, { name })),
    )) as [SmallFamily, SmallFamily, SmallFamily, SmallFamily];
    mistaken = [];
    for (let made = 0; made < 12; made += 1) mistaken.push(await makeFamily(database, { name: 'Morin' }));
    staff = (await database.makeOperator('support', 'sre')).user as string;
    await change(
      `insert into public.family_invitations (family_id, id, email, role, token_hash) values ($1, $2, 'aunt@example.ca', 'extended_family', sha256('x'))`,
      [less.id, invitation],
    );
    await change(
      `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at) values ($1, 'marketing', 'granted', '1', now())`,
      [removed.core.id],
    );
    await change('update public.users set marketing_consent = true where id = $1', [removed.core.id]);
    const opened = await me.json(['access', 'open', '--user', less.core.id, ...WHY]);
    grant = opened.body.result.id;
    await enter();
    backup = await backUp(database);

    await change(
      `update public.family_members set status = 'removed' where family_id = $1 and user_id = $2`,
      at(removed),
    );
    await change(
      `update public.family_members set role = 'professional', access_expires_at = now() + interval '1 day', denied_permissions = '{usage:write}' where family_id = $1 and user_id = $2`,
      at(less),
    );
    await change(
      `update public.family_members set status = 'removed' where family_id = $1 and user_id = $2`,
      at(back),
    );
    await change(
      `update public.family_members set status = 'active' where family_id = $1 and user_id = $2`,
      at(back),
    );
    await change(
      `update public.consent_records set status = 'withdrawn', withdrawn_at = now() where user_id = $1`,
      [removed.core.id],
    );
    await change('update public.users set marketing_consent = false where id = $1', [removed.core.id]);
    await change(`update public.users set status = 'suspended' where id = $1`, [less.gran.id]);
    await change(`update public.family_invitations set status = 'revoked' where id = $1`, [invitation]);
    const placed = await me.json([
      ...['hold', 'place', '--family', held.id, '--basis', 'order', '--matter', 'a court order'],
      ...[...WHY, '--yes'],
    ]);
    hold = placed.body.result.hold.number;
    expect((await me.json(['access', 'close', grant, ...WHY])).code).toBe(0);
    await withConnection(database.superuser, (connection) =>
      connection.query(`select private.end_duty($1, 'sre')`, [staff]),
    );
    // What the database is restored from: everybody of some families removed at once.
    await change(
      `update public.family_members set status = 'removed' where role <> 'family_core' and family_id = any ($1)`,
      [mistaken.map(({ id }) => id)],
    );
    mistake =
      (
        await query<{ xid: string }>('select xid::text from privacy.decisions where family = $1', [
          (mistaken[0] as SmallFamily).id,
        ])
      )[0]?.xid ?? '';
    expect(await enter()).toMatchObject({ outcome: 'done', counts: { unknown: 0 } });
    expect(await query('select 1 from privacy.decisions')).toEqual([]);
    await backup.restore();
  });
  afterAll(() => backup?.drop());

  test('the ledger knows more than the database, and maintenance says so', async () => {
    const { code, body } = await verify();
    expect([code, body.result.decisions.unknown > 20, body.meta.next]).toEqual([
      3,
      true,
      'nestctl erasure replay --after-restore',
    ]);
    expect(await enter()).toMatchObject({ outcome: 'finding' });
  });

  test('nothing of the ledger tells whom it is about', async () => {
    const list = await me.json(['evidence', 'list', '--chain', 'decisions']);
    for (const { id } of list.body.result.records) {
      const shown = JSON.stringify((await me.json(['evidence', 'show', id])).body);
      for (const family of [removed, less, back, held])
        for (const told of [family.id, family.core.id, family.gran.id, family.core.email, staff])
          expect(shown).not.toContain(told);
    }
  });

  test('each is named with what was decided, but for what was taken back since', async () => {
    const { code, body } = await me.json([...REPLAY, '--dry-run']);
    expect(code, JSON.stringify(body)).toBe(0);
    const { lost } = body.result.plan.lost;
    const kinds = lost.map(({ kind }: { kind: string }) => kind);
    expect(kinds.filter((kind: string) => kind !== 'member').sort()).toEqual(
      ['account', 'consent', 'duty', 'grant', 'hold', 'invitation', 'settings'].sort(),
    );
    expect(kinds.filter((kind: string) => kind === 'member')).toHaveLength(14);
    expect(await memberOf(removed)).toMatchObject({ status: 'active' });
    const { stdout } = await me.run([...REPLAY, '--dry-run']);
    expect(stdout).toMatch(/member removed +12/);
    expect(stdout).toContain('--leave-out TRANSACTION');
  });

  test('all but the mistake are taken again under one approval, nothing is given, and nothing is lost any more', async () => {
    const { first, done } = await replay('--leave-out', mistake);
    expect(first.code).toBe(8);
    expect(await query('select 1 from privacy.ledger_looks where ended_at is null')).toEqual([]);
    expect([done.code, done.body.result.decisions], JSON.stringify(done.body)).toMatchObject([
      0,
      { approval: null, taken: 9, refused: [] },
    ]);
    expect(await memberOf(removed)).toMatchObject({ status: 'removed', role: 'extended_family' });
    expect(await memberOf(less)).toMatchObject({
      status: 'active',
      role: 'professional',
      denied_permissions: ['usage:write'],
    });
    expect((await memberOf(less))?.access_expires_at).not.toBeNull();
    expect(await memberOf(back)).toMatchObject({ status: 'active' });
    for (const family of mistaken) expect(await memberOf(family)).toMatchObject({ status: 'active' });
    expect(
      await query(
        `select c.status, u.marketing_consent from public.consent_records c join public.users u on u.id = c.user_id where u.id = $1`,
        [removed.core.id],
      ),
    ).toEqual([{ status: 'withdrawn', marketing_consent: false }]);
    expect(
      await query(
        `select (select status from public.users where id = $1) as account, (select status from public.family_invitations where id = $2) as invitation,
           (select closed_at is not null from ops.access_grants where id = $3) as closed,
           (select revoked_at is not null from ops.operator_duties where login = $4 and duty = 'sre') as ended,
           (select revoked_at is not null from ops.operator_duties where login = $4 and duty = 'support') as support,
           (select family_id from privacy.legal_holds where number = $5 and released_at is null) as held`,
        [less.gran.id, invitation, grant, staff, hold],
      ),
    ).toEqual([
      {
        ...{ account: 'suspended', invitation: 'revoked', closed: true, ended: true, support: false },
        held: held.id,
      },
    ]);
  });

  test('what was done is signed, with what was left out', async () => {
    const { body } = await me.json(['evidence', 'list', '--type', 'erasure-replay']);
    const shown = await me.json(['evidence', 'show', body.result.records[0].id]);
    expect(shown.body.result.record.content.decisions).toMatchObject({
      ...{ lost: 9, taken: 9, refused: 0, still_lost: 0 },
      left_out: { [mistake]: 12 },
    });
  });

  test('from then on the database knows them: who is let in again stays', async () => {
    expect((await verify()).code).toBe(0);
    await change(
      `update public.family_members set status = 'active' where family_id = $1 and user_id = $2`,
      at(removed),
    );
    const again = await me.json(REPLAY);
    expect([again.code, again.body.result.lost]).toEqual([0, null]);
    expect(await memberOf(removed)).toMatchObject({ status: 'active' });
    expect(await enter()).toMatchObject({ outcome: 'done' });
  });
});

describe('one that is refused', () => {
  test('is lost still, and says what to do: the role that was handed over before is not here', async () => {
    const family = await makeFamily(database, { name: 'Fortin' });
    await enter();
    const backup = await backUp(database);
    await change(`update public.family_members set role = 'family_core' where family_id = $1`, [family.id]);
    await change(
      `update public.family_members set role = 'extended_family' where family_id = $1 and user_id = $2`,
      [family.id, family.core.id],
    );
    await enter();
    await backup.restore();
    const { done } = await replay();
    expect([done.code, done.body.result.decisions.refused], JSON.stringify(done.body)).toMatchObject([
      9,
      [{ decision: { kind: 'member' }, why: expect.stringContaining('last family_core') }],
    ]);
    expect((await verify()).code).toBe(3);
    await change(
      `update public.family_members set role = 'family_core' where family_id = $1 and user_id = $2`,
      [family.id, family.gran.id],
    );
    expect((await replay()).done.code).toBe(0);
    await backup.drop();
  });
});

describe('approval', () => {
  test('by hand: not by oneself, not of other decisions, and never to give', async () => {
    const family = await makeFamily(database, { name: 'Bouchard' });
    const rows = await query<{ id: string }>(
      'select id from public.family_members where family_id = $1 and user_id = $2',
      [family.id, family.gran.id],
    );
    const decision = (status: string, role: string) =>
      JSON.stringify([
        {
          ...{ kind: 'member', key: [family.id, rows[0]?.id] },
          state: { status, role, access_expires_at: null, granted_permissions: [], denied_permissions: [] },
          ...{ transaction: '1/1', made_at: '2026-01-01T00:00:00Z' },
        },
      ]);
    const call = `select * from privacy.replay_decisions($1, '{}', '[]')`;
    const { openSession } = await import('../../src/platform/database/session.js');
    const session = await openSession(erasing.officer, {
      ...{ duty: 'compliance', reason: 'restored to 14:01:58 of today', ticket: 'OPS-9' },
    });
    try {
      await expect(session.query(call, [decision('removed', 'extended_family')])).rejects.toThrow(
        /second operator/,
      );
      const ask = (text: string) =>
        session.one<{ id: string }>(
          `select a.id from privacy.decisions_approvable($1, '{}', '[]') p, ops.request_approval('decision_replay', p, 'restored to 14:01:58', 'OPS-9') a`,
          [text],
        );
      const { id } = await ask(decision('active', 'family_core'));
      await expect(
        session.query(`select ops.decide_approval($1, 'granted', 'my own decision')`, [id]),
      ).rejects.toThrow(/own/);
      expect((await erasing.other.json(['approval', 'grant', id, ...WHY, '--yes'])).code).toBe(0);
      await expect(session.query(call, [decision('removed', 'extended_family')])).rejects.toThrow(
        /second operator/,
      );
      expect(await session.query(call, [decision('active', 'family_core')])).toMatchObject([
        { outcome: 'as_it_was' },
      ]);
      expect(await memberOf(family)).toMatchObject({ role: 'extended_family' });
    } finally {
      await session.close();
    }
  });
});

test('without the key that entered them nothing is judged, and no record becomes known', async () => {
  const home = temporaryFolder();
  const family = await makeFamily(database, { name: 'Pelletier' });
  await enter();
  const backup = await backUp(database);
  await change(`update public.users set status = 'suspended' where id = $1`, [family.gran.id]);
  await enter();
  await backup.restore();
  await cp(me.env.NESTCTL_HOME ?? '', home, { recursive: true });
  await rm(join(home, 'contexts', 'test', 'signing', 'ledger-keys.json'));
  const env = { NESTCTL_HOME: home };
  await me.json(['evidence', 'key', 'create', '--for', 'ledger', ...WHY], { env });
  const { code, body } = await me.json(REPLAY, { env });
  expect([code, body.result.lost.unknown, body.result.decisions], JSON.stringify(body)).toEqual([9, 1, null]);
  expect((await verify()).code).toBe(3);
  expect((await replay()).done.code).toBe(0);
  await backup.drop();
});

test('killed between the signature and the database: entered once', async () => {
  const family = await makeFamily(database, { name: 'Nadeau' });
  await change(`update public.users set status = 'suspended' where id = $1`, [family.gran.id]);
  await query('alter function ops.enter_decisions(uuid[], text, text) rename to enter_decisions_away');
  await sre.json(['maintenance', 'run', '--job', 'decisions', ...WHY], {
    env: { NESTCTL_HOME: me.env.NESTCTL_HOME ?? '' },
  });
  await query('alter function ops.enter_decisions_away(uuid[], text, text) rename to enter_decisions');
  const records = async () =>
    (await me.json(['evidence', 'list', '--chain', 'decisions'])).body.result.records.length;
  const signed = await records();
  expect(await enter()).toMatchObject({ outcome: 'done' });
  expect(await records()).toBe(signed);
  expect(await query('select 1 from privacy.decisions')).toEqual([]);
  expect((await verify()).code).toBe(0);
});

test('without a key they wait, and maintenance names the command that makes one', async () => {
  const home = temporaryFolder();
  await cp(me.env.NESTCTL_HOME ?? '', home, { recursive: true });
  await rm(join(home, 'contexts', 'test', 'signing', 'ledger-keys.json'));
  const family = await makeFamily(database, { name: 'Gauthier' });
  await change(`update public.users set status = 'suspended' where id = $1`, [family.gran.id]);
  const { body } = await sre.json(['maintenance', 'run', '--job', 'decisions', ...WHY], {
    env: { NESTCTL_HOME: home },
  });
  expect(body.result.jobs[0]).toMatchObject({
    outcome: 'finding',
    detail: expect.stringContaining('evidence key create --for ledger'),
  });
});

test('a console that has not the ledger gives no all-clear', async () => {
  const { code, body } = await erasing.other.json(REPLAY);
  expect([code, body.result.missing.every((record: string) => record.startsWith('decisions/'))]).toEqual([
    9,
    true,
  ]);
});
