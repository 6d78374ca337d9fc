import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { familyRows, whereabouts, withoutFamily } from '../support/family-moves.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'One household, two families', '--ticket', 'SUP-1'];

let database: TestDatabase;
let me: OperatorConsole;
let one: SmallFamily;
let other: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  one = await makeFamily(database, { name: 'Tremblay' });
  other = await makeFamily(database, { name: 'Gagnon', child: 'Luc' });
  me = await operatorConsole(database, { operator: await database.makeOperator('support'), owner: false });
});
afterAll(() => database?.drop());

const where = async () => whereabouts(await familyRows(database, [one.id, other.id]));
/** A command line that the console printed, as words. */
const typed = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(1);

describe('family merge', () => {
  const merge = (...more: string[]) =>
    me.json(['family', 'merge', '--from', one.id, '--into', other.id, ...more]);

  test('shows all it would do, wants the name, does it, and names the way back, which works', async () => {
    const before = await where();
    expect((await merge('--dry-run')).body.error.code).toBe('no_grant');
    const dry = await merge('--dry-run', ...WHY);
    expect(dry.code).toBe(0);
    const { plan } = dry.body.result;
    expect(plan).toMatchObject({
      kind: 'merge',
      refusals: [],
      conflicts: [],
      children: [{ id: one.child, name: 'Léa' }],
    });
    expect(plan.people.map(({ more_children }: { more_children: number }) => more_children)).toEqual([
      1, 1, 1, 1,
    ]);
    expect(await where()).toEqual(before);

    const unasked = await merge();
    expect([unasked.code, unasked.body.error.code]).toEqual([7, 'consent_missing']);
    expect(typed(unasked.body.error.next).slice(-2)).toEqual(['--confirm', 'Tremblay']);
    const wrong = await merge('--confirm', 'Gagnon');
    expect([wrong.code, wrong.body.error.code]).toEqual([2, 'wrong_confirmation']);
    expect(await where()).toEqual(before);

    const done = await me.json(typed(unasked.body.error.next));
    expect([done.code, done.body.result.to]).toEqual([0, other.id]);
    expect(new Set(Object.values(await where()))).toEqual(new Set([other.id]));

    const log = await me.json([
      'audit',
      'query',
      '--family',
      one.id,
      '--request',
      done.body.result.move,
      '--operation',
      'delete',
    ]);
    expect(log.body.result.events.length).toBe(
      Object.values(before).filter((family) => family === one.id).length,
    );
    expect(log.body.result.events[0]).toMatchObject({ ticket: 'SUP-1', duty: 'support' });

    const back = await me.json([...typed(done.body.result.way_back), '--confirm', 'Tremblay']);
    expect(back.code).toBe(0);
    expect(await where()).toEqual(before);
    const twice = await me.json([...typed(done.body.result.way_back), '--confirm', 'Tremblay']);
    expect([twice.code, twice.body.error.code]).toEqual([6, 'move_refused']);
  });

  test('lists a person who is in both with different rights, refuses, and takes a decision', async () => {
    await asService(database, (service) =>
      service.query(
        `insert into public.family_members (family_id, user_id, role) values ($1, $2, 'professional')`,
        [other.id, one.core.id],
      ),
    );
    const before = await familyRows(database, [one.id, other.id]);
    const refused = await merge('--confirm', 'Tremblay', ...WHY);
    expect([refused.code, refused.body.error.code]).toEqual([6, 'move_refused']);
    expect(refused.body.error.message).toContain('family_members_person_once');
    expect(refused.body.error.hint).toContain('--conflict family_members=keep');
    const shown = await me.run(['family', 'merge', '--from', one.id, '--into', other.id, '--dry-run']);
    expect(shown.stdout).toContain('to be decided');
    expect(shown.stdout).toContain(one.core.email);
    const done = await merge('--conflict', 'family_members=keep', '--confirm', 'Tremblay');
    expect(done.code).toBe(0);
    expect(withoutFamily(await familyRows(database, [one.id, other.id]))).toEqual(withoutFamily(before));
  });
});

test('family split makes a family of chosen children, with a decision for whatever is shared', async () => {
  const luc = await asService(database, async (service) => {
    const child = await service.one<{ id: string }>(
      `insert into public.children (family_id, name, date_of_birth) values ($1, 'Luc', '2025-05-05') returning id`,
      [one.id],
    );
    await service.query(
      `insert into public.inventory_items (family_id, product_type, brand, quantity_total, quantity_remaining) values ($1, 'wipes', 'Douceur', 9, 3)`,
      [one.id],
    );
    return child.id;
  });
  const split = (...more: string[]) =>
    me.json(['family', 'split', one.id, '--child', luc, '--name', 'Roy', ...more]);
  const open = await split('--confirm', 'Roy', ...WHY);
  expect([open.code, open.body.error.code]).toEqual([6, 'move_refused']);
  expect(open.body.error.message).toContain('1 rows of public.inventory_items');
  const stranger = await split('--member', 'nobody@example.ca=move');
  expect([stranger.code, stranger.body.error.next]).toEqual([5, `nestctl member list --family ${one.id}`]);

  const decided = [
    `--member=${one.core.email}=copy`,
    `--member=${one.gran.email}=move`,
    '--shared',
    'inventory_items=move',
  ];
  const dry = await split(...decided, '--dry-run');
  expect(dry.body.result.plan.refusals).toEqual([]);
  const stock = dry.body.result.plan.shared.find(
    ({ table }: { table: string }) => table === 'public.inventory_items',
  );
  expect(stock.first).toEqual([{ key: expect.any(String), choice: 'move', what: 'wipes Douceur' }]);
  const gran = dry.body.result.plan.people.find(({ email }: { email: string }) => email === one.gran.email);
  expect(gran).toMatchObject({ from_after: null, to_after: 'extended_family', fewer_children: 1 });
  const done = await split(...decided, '--confirm', 'Roy');
  expect(done.code).toBe(0);
  const family = await me.json(['family', 'show', done.body.result.to, ...WHY]);
  expect(family.body.result).toMatchObject({ name: 'Roy', children: [{ id: luc }] });
  expect(family.body.result.members.map(({ email }: { email: string }) => email)).toEqual([
    one.core.email,
    one.gran.email,
  ]);

  const before = Object.values(await where()).length;
  const back = await me.json([...typed(done.body.result.way_back), '--confirm', 'Tremblay']);
  expect(back.code).toBe(0);
  expect(Object.values(await where()).length).toBe(before + 3);
  const emptied = await me.json(['family', 'show', done.body.result.to]);
  expect(emptied.body.result.archived_at).not.toBeNull();
});

test('child move takes a child to another family and back, and child show tells where it has lived', async () => {
  const before = await where();
  const move = ['child', 'move', one.child, '--family', one.id, '--to', other.id];
  const done = await me.json([...move, '--confirm', 'Léa', ...WHY]);
  expect(done.code).toBe(0);
  const shown = await me.json(['child', 'show', one.child, '--family', other.id]);
  expect(shown.body.result).toMatchObject({ name: 'Léa', family: 'Gagnon', usage_logs: 1 });
  expect(
    shown.body.result.families.map(({ family_id, left_by }: Record<string, string>) => [family_id, left_by]),
  ).toEqual([
    [one.id, done.body.result.move],
    [other.id, null],
  ]);
  const gone = await me.json(['child', 'show', one.child, '--family', one.id]);
  expect(gone.code).toBe(5);
  const other_way = await me.json([
    'child',
    'move',
    '--undo',
    done.body.result.move,
    '--family',
    one.id,
    '--to',
    other.id,
  ]);
  expect([other_way.code, other_way.body.error.code]).toEqual([2, 'other_families']);
  expect((await me.json([...typed(done.body.result.way_back), '--confirm', 'Tremblay'])).code).toBe(0);
  expect(await where()).toEqual(before);
  const neither = await me.json(['child', 'move', '--family', one.id, '--to', other.id]);
  expect(neither.code).toBe(2);
  const unclear = await me.json([...move, '--shared', 'inventory_items=burn']);
  expect([unclear.code, unclear.body.error.code]).toEqual([2, 'usage']);
});
