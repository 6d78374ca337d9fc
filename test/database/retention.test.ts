import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { exportBundle, planRetention, proveEvent, recordReading } from '../../src/audit/index.js';
import { readPrunings } from '../../src/audit/retention/prunings.js';
import { factsOf } from '../../src/audit/retention/sign-pruning.js';
import { readLogState } from '../../src/audit/seal/log-state.js';
import { appendRecord, createSigningKey } from '../../src/evidence/index.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { DUTIES, openSession } from '../../src/platform/database/session.js';
import { openRequest, planOpening, planStep, takeStep } from '../../src/privacy/index.js';
import { attack } from '../support/attacks.js';
import { evidenceIn } from '../support/evidence-context.js';
import { type Retention, retentionOf } from '../support/retention.js';
import { newHome, type SealedLog, sealedLog } from '../support/sealed-log.js';

const PART = 'audit.events_modification_2015_03';

let log: SealedLog;
let retention: Retention;

beforeEach(async () => {
  log = await sealedLog();
  retention = await retentionOf(log);
});
afterEach(async () => {
  await retention.close();
  await log.close();
});

const isThere = async (part = PART) =>
  (await log.superuser.one<{ there: boolean }>('select to_regclass($1) is not null as there', [part])).there;

/** Begun, signed for, sealed, dropped. */
async function pruned(): Promise<void> {
  await retention.approve();
  await retention.prune();
  await log.seal();
  await retention.prune();
  await log.seal();
}

/** `2025-10-01` for 13 months ago. */
const monthsAgo = (months: number) => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 10);
};

test('a month whose years are over is signed for, sealed, dropped, and the log and the rows still verify', async () => {
  const events = await retention.oldMonth();
  const kept = await log.superuser.one<{ id: string }>(`select min(id)::text as id from ${PART}`);
  const proof = await proveEvent(log.sre, log.evidence, kept.id);
  const { months } = await planRetention(retention.compliance);
  expect(months).toEqual([
    {
      category: 'modification',
      month: '2015-03',
      archive: null,
      years: 7,
      kept_until: new Date('2022-04-01T00:00:00Z'),
      events,
      state: 'new',
      held: null,
    },
  ]);
  await expect(retention.prune()).rejects.toMatchObject({ code: 'approval_pending' });
  await retention.approve();
  const month = { category: 'modification', month: '2015-03', events };
  expect(await retention.prune()).toMatchObject({ pruned: [], waiting: [month] });
  expect(await retention.prune()).toMatchObject({ pruned: [], waiting: [month] });
  expect(await isThere()).toBe(true);
  await log.seal();
  expect(await retention.prune()).toMatchObject({ pruned: [month], waiting: [] });
  expect(await isThere()).toBe(false);
  await log.seal();
  const report = await log.verify();
  expect(report).toMatchObject({
    verdict: 'intact',
    faults: [],
    doubts: [],
    archived: [],
    pruned: [{ ...month, kept_until: new Date('2022-04-01T00:00:00Z') }],
  });
  const { leaves } = await log.superuser.one<{ leaves: number }>(
    'select sum(octet_length(hashes) / 32)::int as leaves from audit.tiles where level = 0',
  );
  expect(leaves).toBe(report.size);
  expect(proof.index).toBeLessThan(report.size);
  const uncovered = await retention.compliance.query(
    `select t.table_name::text, c.faults::int from audit.captured_tables t, audit.coverage(t.table_name) c where c.faults > 0`,
  );
  expect(uncovered).toEqual([]);
  const lacks =
    'Months whose years are over were pruned: modification 2015-03. The answer lacks their events.';
  expect(await recordReading(retention.compliance, { kind: 'query' })).toBe(lacks);
  expect(
    await recordReading(retention.compliance, {
      kind: 'query',
      filter: { since: new Date('2015-04-01T00:00:00Z') },
    }),
  ).toBeUndefined();
  expect((await planRetention(retention.compliance)).months).toEqual([]);
});

test('what was proven before is proven after, and a history goes on without the contents that were pruned', async () => {
  const events = await retention.oldMonth();
  const { family, event } = await log.superuser.one<{ family: string; event: string }>(
    `select f.id as family, (select min(e.id)::text from ${PART} e where e.family_id = f.id) as event from public.families f where f.name = 'Tremblay'`,
  );
  const auditor = await openSession(await log.database.makeOperator('auditor'), {
    duty: 'auditor',
    reason: 'tests of retention',
  });
  onTestFinished(() => auditor.close());
  const bundle = async (name: string) => {
    const path = join(log.home, name);
    return { path, ...(await exportBundle(auditor, log.evidence, { family, path, withhold: [] })) };
  };
  const check = (path: string) => verifyStandalone(['--keys', log.evidence.places.keySet, path]);
  const proof = join(log.home, 'proof');
  await writeFile(proof, (await proveEvent(log.sre, log.evidence, event)).proof);
  const before = await bundle('before');
  await pruned();
  const after = await bundle('after');
  expect(before).toMatchObject({ leaf_only: 0 });
  expect(after).toMatchObject({ events: before.events, leaf_only: before.events });
  expect(before.events).toBeGreaterThan(0);
  expect(before.events).toBeLessThanOrEqual(events);
  expect(await readFile(before.path, 'utf8')).toContain('Tremblay');
  expect(await readFile(after.path, 'utf8')).not.toContain('Tremblay');
  for (const [path, exitCode] of [
    [proof, 0],
    [before.path, 0],
    [after.path, 9],
  ] as const)
    expect(await check(path), path).toMatchObject({ exitCode });
  await expect(proveEvent(log.sre, log.evidence, event)).rejects.toMatchObject({ code: 'not_found' });
});

test('rows that went wrong before are not hidden by where the log begins anew', async () => {
  await retention.oldMonth();
  await attack(log.superuser, `update public.families set name = 'Forged' where name = 'Tremblay'`);
  await pruned();
  expect(
    await retention.compliance.query(
      `select c.faults::int as faults from audit.coverage('public.families') c`,
    ),
  ).toEqual([{ faults: 1 }]);
});

test('the years of each category end with the month, in UTC, whatever the session says', async () => {
  const { database, superuser } = log;
  const edges = { authentication: 1, access: 3, modification: 7, consent: 7, emergency: 7 };
  for (const [category, years] of Object.entries(edges)) {
    for (const age of [12 * years, 12 * years + 1]) {
      const month = monthsAgo(age);
      await withConnection(database.owner, (owner) =>
        owner.query('select audit.add_partitions($1::date, 1)', [month]),
      );
      await superuser.query(`set session_replication_role = 'replica'`);
      await superuser.query(
        `insert into audit.events (xid, occurred_at, epoch, category, operation, table_name, session_login, salts, leaf)
         values ('3', ($1::date + interval '1 month') at time zone 'UTC' - interval '1 microsecond', 1, $2::audit.category, 'INSERT', 'x', 'x', '{null,null,null}', 'x')`,
        [month, category],
      );
      await superuser.query('reset session_replication_role');
    }
  }
  for (const zone of ['UTC', 'Pacific/Kiritimati', 'Etc/GMT+12']) {
    await retention.compliance.query(`select set_config('timezone', $1, false)`, [zone]);
    const due = await retention.compliance.query<{ category: string; month: string }>(
      `select category::text, month::text from audit.due_retention()`,
    );
    expect(Object.fromEntries(due.map(({ category, month }) => [category, month]))).toEqual(
      Object.fromEntries(
        Object.entries(edges).map(([category, years]) => [category, monthsAgo(12 * years + 1)]),
      ),
    );
    expect(due.length).toBe(5);
  }
});

test('no month goes before its years are over: no argument, no duty, no owner makes it', async () => {
  const young = monthsAgo(3);
  const name = `audit.events_modification_${young.slice(0, 7).replace('-', '_')}`;
  await retention.oldMonth(young);
  const { compliance } = retention;
  const empty = JSON.stringify({
    do: 'prune',
    log: (await readLogState(log.sre)).log,
    months: [{ category: 'modification', month: young.slice(0, 7), years: 7, events: 1 }],
  });
  const { id } = await compliance.one<{ id: string }>(
    `select id from ops.request_approval('audit_retention', $1::jsonb, 'forged plan', 'PRIV-1')`,
    [empty],
  );
  await retention.approver.query(`select ops.decide_approval($1, 'granted', 'did not read it')`, [id]);
  await expect(compliance.query('select audit.begin_retention()')).rejects.toMatchObject({
    kind: 'conflict',
  });
  const insert = (kept: string, cut: string, years = 7, month = `'${young}'`) =>
    `insert into audit.prunings (category, month, years, kept_until, cut_off, tree_from, tree_size, events, first_leaf, last_leaf, leaves, approval_id)
     values ('modification', ${month}, ${years}, ${kept}, ${cut}, 0, 9, 1, 0, 0, repeat('a', 64), '${id}')`;
  const end = `(date '${young}' + interval '1 month' + interval '7 years') at time zone 'UTC'`;
  for (const statement of [
    insert(end, 'now()'),
    insert(`now() - interval '1 day'`, 'now()'),
    insert('now()', 'now()', 0),
    insert(`'0001-01-01'`, 'now()', 7, `'${young} BC'`),
  ])
    await expect(
      withConnection(log.database.owner, (owner) => owner.query(statement)),
      statement,
    ).rejects.toMatchObject({ code: expect.stringMatching(/check|constraint/) });
  for (const statement of [
    `update audit.retention_periods set years = 1`,
    `delete from audit.retention_periods`,
    `truncate audit.retention_periods`,
    `insert into audit.retention_periods values ('modification', 1) on conflict (category) do update set years = 1`,
  ])
    await expect(
      withConnection(log.database.owner, (owner) => owner.query(statement)),
      statement,
    ).rejects.toMatchObject({ kind: 'not_allowed' });
  for (const duty of DUTIES) {
    const session = await openSession(await log.database.makeOperator(duty), {
      duty,
      reason: 'tries to prune',
      ticket: 'X-1',
    });
    for (const statement of [
      insert(`now() - interval '1 day'`, 'now()'),
      `update audit.retention_periods set years = 1`,
      `select audit.begin_retention()`,
      `select audit.record_pruning(gen_random_uuid(), '{}')`,
      `select audit.drop_pruned(gen_random_uuid())`,
      `select audit.month_leaves('modification', '${young}', 0, 9)`,
      `drop table ${name}`,
      `delete from ${name}`,
      `truncate ${name}`,
      `select audit.begin_archive('modification', '${young} BC', 1, 'here')`,
      `select audit.begin_archive('modification', '${young.slice(0, 8)}15', 1, 'here')`,
    ])
      await expect(session.query(statement), `${duty}: ${statement}`).rejects.toBeDefined();
    await session.close();
  }
  expect(await isThere(name)).toBe(true);
  expect(await log.faults()).toEqual([]);
});

test('what is dropped without a record, or with one that was never signed, is tampering', async () => {
  const events = await retention.oldMonth();
  await log.superuser.query(`drop table ${PART}`);
  const deleted = await log.faults();
  expect(deleted.length).toBe(Math.min(events, 100));
  expect(deleted.every((fault) => fault.startsWith('deleted '))).toBe(true);
  const { id } = await retention.compliance.one<{ id: string }>(
    `select id from ops.request_approval('audit_retention', '{"months": []}', 'a forged request', 'X-1')`,
  );
  await attack(
    log.superuser,
    `insert into audit.prunings (category, month, years, kept_until, tree_from, tree_size, events, first_leaf, last_leaf, leaves, approval_id,
       record, record_xid, recorded_at, recorded_by, record_event, record_leaf, dropped_at, dropped_by)
     select 'modification', '2015-03-01', 7, '2022-04-01 00:00+00', 0, t.size, l.events, l.first_leaf, l.last_leaf, l.leaves, '${id}',
       '{}', '9', now(), 'x', 1, 1, now(), 'x' from audit.tree t, audit.month_leaves('modification', '2015-03-01', 0, t.size) l`,
  );
  expect(await log.faults()).toEqual([...deleted, 'unproven_pruning pruned modification 2015-03'].sort());
});

test('a record that another key has signed proves nothing', async () => {
  const events = await retention.oldMonth();
  const home = newHome();
  await createSigningKey(evidenceIn(home));
  await retention.approve();
  vi.stubEnv('NESTCTL_HOME', home);
  await retention.prune();
  vi.stubEnv('NESTCTL_HOME', log.home);
  await log.seal();
  expect((await retention.prune()).pruned.length).toBe(1);
  const faults = await log.faults();
  expect(faults.filter((fault) => fault.startsWith('deleted ')).length).toBeGreaterThanOrEqual(
    Math.min(events, 99),
  );
  expect(faults.filter((fault) => !fault.startsWith('deleted '))).toEqual([
    'unproven_pruning pruned modification 2015-03',
  ]);
});

test('a record of other leaves, another span, or without its event in the log proves nothing', async () => {
  await retention.oldMonth();
  await pruned();
  expect(await log.faults()).toEqual([]);
  const place = 'pruned modification 2015-03';
  const [pruning] = await readPrunings(log.superuser);
  for (const [change, back] of [
    [`events = events - 1`, `events = ${pruning?.events}`],
    [`leaves = repeat('a', 64)`, `leaves = '${pruning?.leaves}'`],
    [`tree_size = tree_size + 1`, `tree_size = ${pruning?.tree_size}`],
    [`years = 6, kept_until = '2021-04-01 00:00+00'`, `years = 7, kept_until = '2022-04-01 00:00+00'`],
    [
      `month = '2015-02-01', kept_until = '2022-03-01 00:00+00'`,
      `month = '2015-03-01', kept_until = '2022-04-01 00:00+00'`,
    ],
    [
      'record_leaf = 0',
      `record_leaf = (select max(place) from (select audit.leaf_index(record_event) as place) x)`,
    ],
  ] as const) {
    await attack(log.superuser, `update audit.prunings set ${change}`);
    const faults = await log.faults();
    expect(faults.filter((fault) => fault.startsWith('unproven_pruning ')).length, change).toBe(1);
    if (change.startsWith('record_leaf')) break;
    await attack(log.superuser, `update audit.prunings set ${back}`);
    expect(await log.faults(), back).toEqual([]);
  }
  expect(await log.faults()).toEqual(expect.arrayContaining([`unproven_pruning ${place}`]));
});

test('a leaf of a pruned month that was changed in the tree is told', async () => {
  await retention.oldMonth();
  await pruned();
  const [pruning] = await readPrunings(log.superuser);
  const at = pruning?.first_leaf ?? 0;
  await attack(
    log.superuser,
    `update audit.tiles set hashes = overlay(hashes placing '\\xff' from ${(at % 256) * 32 + 1} for 1) where level = 0 and number = ${Math.floor(at / 256)}`,
  );
  const faults = await log.faults();
  expect(faults).toContain('pruning_differs pruned modification 2015-03');
});

test('a month pruned too early is told, even with the policy cut short and the right key', async () => {
  const young = monthsAgo(30);
  await retention.oldMonth(young);
  await attack(log.superuser, 'update audit.retention_periods set years = 1');
  await retention.approve();
  await expect(retention.prune()).rejects.toMatchObject({ code: 'too_young' });
  const [pruning] = await readPrunings(log.superuser);
  if (pruning === undefined) throw new Error('nothing was begun');
  const { record } = await appendRecord(log.evidence, {
    chain: 'audit',
    type: 'audit-retention',
    subject: [{ name: 'x', sha256: pruning.leaves }],
    content: factsOf((await readLogState(log.sre)).log, pruning),
  });
  const signed = (await log.evidence.store.read(record.chain, record.number))?.toString('utf8');
  await retention.compliance.query('select audit.record_pruning($1, $2)', [pruning.id, signed]);
  await log.seal();
  await retention.compliance.query('select audit.drop_pruned($1)', [pruning.id]);
  const faults = await log.faults();
  expect(faults).toContain(`pruned_early pruned modification ${young.slice(0, 7)}`);
  expect(faults.some((fault) => fault.startsWith('deleted '))).toBe(true);
});

test('a month that is not what was sealed is not pruned', async () => {
  await retention.oldMonth();
  await retention.approve();
  const { id } = await log.superuser.one<{ id: string }>(`select min(id)::text as id from ${PART}`);
  await attack(log.superuser, `update ${PART} set table_name = 'public.users ' where id = ${id}`);
  await expect(retention.prune()).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('not those that were sealed'),
  });
});

test('only the exact record is written, once, and nothing is dropped before it is sealed', async () => {
  await retention.oldMonth();
  await retention.approve();
  const { compliance } = retention;
  await compliance.query('select audit.begin_retention()');
  const [pruning] = await readPrunings(log.superuser);
  if (pruning === undefined) throw new Error('nothing was begun');
  const content = factsOf((await readLogState(log.sre)).log, pruning);
  const envelope = (what: object, type = 'audit-retention') =>
    JSON.stringify({
      payloadType: 'application/vnd.in-toto+json',
      payload: Buffer.from(
        JSON.stringify({
          predicateType: `urn:nestctl:evidence:${type}:v1`,
          predicate: { content: what },
        }),
      ).toString('base64'),
      signatures: [{ sig: 'AA==' }],
    });
  for (const record of [
    '{}',
    'nothing',
    envelope({ ...content, events: 1 }),
    envelope({ ...content, leaves: 'a'.repeat(64) }),
    envelope(content, 'audit-archive'),
  ])
    await expect(
      compliance.query('select audit.record_pruning($1, $2)', [pruning.id, record]),
      record,
    ).rejects.toMatchObject({ kind: 'usage' });
  const drop = () => compliance.query('select audit.drop_pruned($1)', [pruning.id]);
  await expect(drop()).rejects.toMatchObject({ message: expect.stringContaining('not recorded') });
  await compliance.query('select audit.record_pruning($1, $2)', [pruning.id, envelope(content)]);
  await expect(
    compliance.query('select audit.record_pruning($1, $2)', [pruning.id, envelope(content)]),
  ).rejects.toMatchObject({ kind: 'conflict' });
  await expect(drop()).rejects.toMatchObject({ next: 'nestctl audit seal' });
  await expect(
    compliance.query(
      `select audit.begin_archive('modification', '2015-03-01', (select max(size) from audit.checkpoints), 'here')`,
    ),
  ).rejects.toMatchObject({ message: expect.stringContaining('is being pruned') });
  expect(await isThere()).toBe(true);
});

test('a month that is being archived is held', async () => {
  await retention.oldMonth();
  const { size } = await log.superuser.one<{ size: string }>(
    'select max(size)::text as size from audit.checkpoints',
  );
  await retention.compliance.query(`select audit.begin_archive('modification', '2015-03-01', $1, 'here')`, [
    size,
  ]);
  const { months, approvable } = await planRetention(retention.compliance);
  expect(months).toMatchObject([{ state: 'held', held: expect.stringContaining('audit archive') }]);
  expect(approvable.months).toEqual([]);
});

test('a month in which somebody has events whose request is open is held, and no other', async () => {
  await retention.oldMonth();
  await retention.oldMonth('2015-04-01');
  const { compliance } = retention;
  const [person] = await log.superuser.query<{ id: string }>(
    `select e.subject_user as id from ${PART} e where e.subject_user is not null limit 1`,
  );
  await compliance.query(`select ops.open_access('read', 'a test of holds', 'PRV-1', 60, null, $1)`, [
    person?.id,
  ]);
  const { number } = await openRequest(
    compliance,
    await planOpening(compliance, {
      ...{ regime: 'pipeda', kind: 'access', asks: 'all of it', channel: 'mail', requester: 'self' },
      subject: { kind: 'user', id: person?.id as string },
      received: () => new Date(),
    }),
  );
  const plan = await planRetention(compliance);
  expect(plan.months.map(({ month, state, held }) => [month, state, held])).toEqual([
    ['2015-03', 'held', `request ${number} holds it (PIPEDA s. 8(8)): nestctl request show ${number}`],
    ['2015-04', 'new', null],
  ]);
  // One that was approved before the request came is not dropped after it.
  await takeStep(
    compliance,
    await planStep(compliance, number, () => ({ verb: 'withdraw', told: 'it was another’s' })),
  );
  await retention.approve();
  await retention.prune();
  await log.seal();
  await openRequest(
    compliance,
    await planOpening(compliance, {
      ...{ regime: 'pipeda', kind: 'access', asks: 'all of it', channel: 'mail', requester: 'self' },
      subject: { kind: 'user', id: person?.id as string },
      received: () => new Date(),
    }),
  );
  expect(await retention.prune()).toMatchObject({
    pruned: [{ month: '2015-04' }],
    held: [{ month: '2015-03', why: expect.stringContaining('holds it') }],
  });
  expect([await isThere(), await isThere('audit.events_modification_2015_04')]).toEqual([true, false]);
});
