import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  type ErasingConsole,
  erasingConsole,
  familyOfOne,
  REPLAY,
  tablesWith,
} from '../support/erasing-console.js';
import { unguarded } from '../support/erasures.js';
import { temporaryFolder } from '../support/evidence.js';
import type { OperatorConsole } from '../support/operator-console.js';
import { asCompliance } from '../support/packages.js';
import { type Backup, backUp } from '../support/restore.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'restored to 14:01:58 of today', '--ticket', 'OPS-9'];

let database: TestDatabase;
let erasing: ErasingConsole;
let me: OperatorConsole;
beforeAll(async () => {
  database = await createTestDatabase();
  erasing = await erasingConsole(database);
  me = erasing.me;
});
afterAll(() => database?.drop());

const alone = (name: string) => familyOfOne(database, name);
const query = <Row extends object = Record<string, unknown>>(statement: string, values: unknown[] = []) =>
  withConnection(database.superuser, (connection) => connection.query<Row>(statement, values));

const stateOf = (
  body: { result: { look: { returned: { request: string; state: string }[] } } },
  number: string,
) => body.result.look.returned.find(({ request }) => request === number)?.state;

test('nobody was erased yet', async () => {
  const { code, body } = await me.json(REPLAY);
  expect([code, body.result.look]).toEqual([0, null]);
});

describe('restored to before the request', () => {
  let backup: Backup;
  let gone: SmallFamily;
  let stays: SmallFamily;
  let number: string;
  let kept: number;
  const theirs = () => [gone.core.email, 'note of Ouellet'];
  beforeAll(async () => {
    gone = await alone('Ouellet');
    stays = await makeFamily(database, { name: 'Gagnon', notes: 'note of Gagnon' });
    backup = await backUp(database);
    number = await erasing.due(gone.core.id);
    await erasing.erase(number);
    expect(await tablesWith(database, ...theirs())).toEqual([]);
    await backup.restore();
    kept = await withConnection(database.superuser, async (connection) =>
      Number((await connection.one<{ n: string }>('select count(*) as n from audit.events')).n),
    );
  });
  afterAll(() => backup?.drop());

  test('the ledger says so, and what to do', async () => {
    expect(await tablesWith(database, ...theirs())).not.toEqual([]);
    const { code, body } = await me.json(['erasure', 'ledger', 'verify', ...WHY]);
    expect([code, body.meta.next]).toEqual([3, 'nestctl erasure replay --after-restore']);
  });

  test('who is back is named, with the family that went; a dry run changes nothing', async () => {
    const { code, body } = await me.json([...REPLAY, '--dry-run']);
    expect([code, body.result.plan.look.returned]).toMatchObject([
      0,
      [{ request: number, state: 'back', person: gone.core.id, families: [gone.id], others: [] }],
    ]);
    expect(body.result.plan.look.returned[0].by).toEqual(['child', 'email', 'family', 'person']);
    expect(await query('select 1 from privacy.erasures')).toEqual([]);
    expect(await query('select 1 from ops.approvals')).toEqual([]);
    // That all accounts were looked through is on record.
    expect(await query('select entries, accounts::int, found from privacy.ledger_looks')).toEqual([
      { entries: 1, accounts: 4, found: { back: 1 } },
    ]);
  });

  test('a second operator approves; then they are gone again, family and log too, and nobody else', async () => {
    const { first, done } = await erasing.replay();
    expect([first.code, first.body.result.replayed]).toMatchObject([8, [{ outcome: 'pending' }]]);
    expect([done.code, done.body.result.replayed], JSON.stringify(done.body)).toMatchObject([
      0,
      [{ outcome: 'erased', person: gone.core.id, erasure: { state: 'proven' } }],
    ]);
    expect(stateOf(done.body, number)).toBe('gone');
    expect(await tablesWith(database, ...theirs())).toEqual([]);
    expect(await tablesWith(database, 'note of Gagnon')).toContain('public.usage_logs');
    const counts = await query(
      `select (select count(*)::int from public.families) as families, (select count(*)::int from public.users) as users,
         (select count(*)::int from audit.events e where audit.leaf_of(e) <> e.leaf) as broken,
         (select count(*)::int >= $1 from audit.events) as whole,
         (select count(*)::int from public.family_members where family_id = $2) as members`,
      [kept, stays.id],
    );
    expect(counts).toEqual([{ families: 1, users: 4, broken: 0, whole: true, members: 2 }]);
  });

  test('what came of it is signed; the ledger knows the database again; and there is nothing left to do', async () => {
    const { body } = await me.json(['evidence', 'list', '--type', 'erasure-replay']);
    expect(body.result.records.length).toBe(2);
    const shown = await me.json(['evidence', 'show', body.result.records[0].id]);
    expect(shown.body.result.record.content).toMatchObject({
      found: { gone: 1 },
      replayed: [{ record: 'erasures/1', outcome: 'erased' }],
    });
    expect(JSON.stringify(shown.body)).not.toContain(gone.core.id);
    expect((await me.json(['erasure', 'ledger', 'verify', ...WHY])).code).toBe(0);
    const again = await me.json(REPLAY);
    expect([again.code, again.body.result.replayed]).toEqual([0, []]);
    const absent = await me.json(['erasure', 'show', 'erasures/99']);
    expect([absent.code, absent.body.error.next]).toEqual([5, 'nestctl erasure list --all']);
    const unfit = await me.json(['erasure', 'show', 'erasure/1']);
    expect([unfit.code, unfit.body.error.message]).toEqual([2, expect.stringContaining('erasures/7')]);
    const certificate = await me.json(['erasure', 'certificate', 'erasures/1', ...WHY]);
    expect(certificate.code, JSON.stringify(certificate.body)).toBe(0);
  });

  test('whoever registers with their address afterwards is told, and not erased', async () => {
    const again = await makeFamily(database, { name: 'Ouellet again' });
    await unguarded(database, (connection) =>
      connection.query('update public.users set email = $1 where id = $2', [gone.core.email, again.core.id]),
    );
    const { code, body } = await me.json(REPLAY);
    expect([code, body.result.replayed]).toEqual([0, []]);
    expect(body.result.look.returned).toMatchObject([
      { state: 'another', person: null, others: [{ person: again.core.id, by: ['email'] }] },
    ]);
    const { stdout } = await me.run(REPLAY);
    expect(stdout).toContain(`has something of theirs, and is not erased: ${again.core.id} (email)`);
    await unguarded(database, (connection) =>
      connection.query(`update public.users set email = 'else@example.ca' where id = $1`, [again.core.id]),
    );
  });
});

test('restored to between its schedule and its day: what was scheduled is taken back, and they are erased again', async () => {
  const gone = await alone('Lavoie');
  const number = await erasing.due(gone.core.id);
  const backup = await backUp(database);
  await erasing.erase(number);
  await backup.restore();
  const { done } = await erasing.replay();
  expect([done.code, stateOf(done.body, number)], JSON.stringify(done.body)).toEqual([0, 'gone']);
  expect(await tablesWith(database, 'note of Lavoie', gone.core.email)).toEqual([]);
  expect(
    await query('select cancelled_at is not null as cancelled from privacy.erasures where request = $1', [
      number,
    ]),
  ).toEqual([{ cancelled: true }]);
  await backup.drop();
});

test('restored into the midst of it: it is gone on with, and nobody has to approve it twice', async () => {
  const gone = await alone('Morin');
  const number = await erasing.due(gone.core.id);
  await asCompliance(erasing.officer, gone.core.id, (session) =>
    session.query('select privacy.begin_erasure($1)', [number]),
  );
  const backup = await backUp(database);
  await erasing.erase(number);
  await backup.restore();
  const { code, body } = await me.json(REPLAY);
  expect(body.result, JSON.stringify(body)).toBeDefined();
  expect([code, stateOf(body, number), body.result.replayed.length], JSON.stringify(body)).toEqual([
    0,
    'gone',
    1,
  ]);
  expect(await tablesWith(database, 'note of Morin', gone.core.email)).toEqual([]);
  await backup.drop();
});

test('a hold that was released since does not stand against it, nor does a role that was handed over since', async () => {
  const family = await makeFamily(database, { name: 'Fortin', person: 'Ursule Fortin' });
  const hold = await me.json([
    ...['hold', 'place', '--user', family.core.id, '--basis', 'litigation', '--matter', 'a dispute'],
    ...[...WHY, '--yes'],
  ]);
  expect(hold.code, JSON.stringify(hold.body)).toBe(0);
  const backup = await backUp(database);
  await me.json(['hold', 'release', hold.body.result.hold.number, ...WHY, '--yes']);
  await unguarded(database, (connection) =>
    connection.query(`update public.family_members set role = 'family_core' where family_id = $1`, [
      family.id,
    ]),
  );
  const number = await erasing.due(family.core.id);
  await erasing.erase(number);
  await backup.restore();
  const { done } = await erasing.replay();
  expect([done.code, stateOf(done.body, number)], JSON.stringify(done.body)).toEqual([0, 'gone']);
  expect(done.body.result.replayed).toMatchObject([{ outcome: 'erased', coreless: [family.id] }]);
  expect(await tablesWith(database, family.core.email)).toEqual([]);
  await backup.drop();
});

test('a hold that was placed since stands against it, and says so', async () => {
  const gone = await alone('Gauthier');
  const backup = await backUp(database);
  const number = await erasing.due(gone.core.id);
  await erasing.erase(number);
  await backup.restore();
  const placed = await me.json([
    ...['hold', 'place', '--user', gone.core.id, '--basis', 'order', '--matter', 'a court order'],
    ...[...WHY, '--yes'],
  ]);
  const { done } = await erasing.replay();
  expect([done.code, stateOf(done.body, number)]).toEqual([9, 'back']);
  expect(done.body.result.replayed).toMatchObject([
    { outcome: 'refused', why: expect.stringContaining(placed.body.result.hold.number) },
  ]);
  await me.json(['hold', 'release', placed.body.result.hold.number, ...WHY, '--yes']);
  expect((await erasing.replay()).done.code).toBe(0);
  await backup.drop();
});

test('something of them that is left keeps it from its end, however often it is run', async () => {
  const gone = await alone('Bouchard');
  const number = await erasing.due(gone.core.id);
  const backup = await backUp(database);
  await erasing.erase(number);
  await backup.restore();
  await unguarded(database, (connection) =>
    connection.query(`create table public.scratch as select $1::text as words`, [gone.core.email]),
  );
  await unguarded(database, (connection) =>
    connection.query(`grant select on public.scratch to ${database.owner.user}`),
  );
  const { done } = await erasing.replay();
  const { record } = done.body.result.replayed[0];
  expect([done.code, done.body.meta.next]).toEqual([9, `nestctl erasure verify ${record}`]);
  expect((await me.json(REPLAY)).code).toBe(9);
  await unguarded(database, (connection) => connection.query('drop table public.scratch'));
  expect((await me.json(REPLAY)).code).toBe(0);
  await backup.drop();
});

test('without the key of the ledger nobody can be told, and that is said', async () => {
  const home = temporaryFolder();
  await cp(me.env.NESTCTL_HOME ?? '', home, { recursive: true });
  const env = { NESTCTL_HOME: home };
  await rm(join(home, 'contexts', 'test', 'signing', 'ledger-keys.json'));
  expect((await me.json(REPLAY, { env })).body.error).toMatchObject({ code: 'no_ledger_key' });
  await me.json(['evidence', 'key', 'create', '--for', 'ledger', ...WHY], { env });
  const { code, body } = await me.json(REPLAY, { env });
  expect([code, new Set(body.result.look.returned.map(({ state }: { state: string }) => state))]).toEqual([
    9,
    new Set(['unknown']),
  ]);
});

test('an edited ledger erases nobody', async () => {
  const home = temporaryFolder();
  await cp(me.env.NESTCTL_HOME ?? '', home, { recursive: true });
  const file = join(home, 'contexts', 'test', 'evidence', 'erasures', '000001.json');
  const envelope = JSON.parse(await readFile(file, 'utf8'));
  const statement = Buffer.from(envelope.payload, 'base64')
    .toString('utf8')
    .replace('purpose_ended', 'inaccurate');
  await writeFile(file, JSON.stringify({ ...envelope, payload: Buffer.from(statement).toString('base64') }));
  const { code, body } = await me.json(REPLAY, { env: { NESTCTL_HOME: home } });
  expect([code, body.error.code]).toEqual([6, 'ledger_tampered']);
});

test('a console without the ledger gives no all-clear', async () => {
  const { code, body } = await erasing.other.json(REPLAY);
  expect([code, body.result.look]).toEqual([9, null]);
  expect(body.result.missing.length).toBeGreaterThan(0);
});
