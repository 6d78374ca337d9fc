import type { Connection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from './database.js';
import { differences, familyRows, makeMove, planMove } from './family-moves.js';
import { type Household, makeHouseholds } from './households.js';
import { type Random, seededRandom } from './model/random.js';

type Mover = (families: readonly string[], work: (session: Connection) => Promise<void>) => Promise<void>;

/** What one random merge or split, and its way back, did that it must not have; empty where all held. */
export async function randomMove(database: TestDatabase, seed: number, mover: Mover): Promise<string[]> {
  const faults: string[] = [];
  const say: Say = (what, found) => {
    if (found !== undefined) faults.push(`${what}: ${JSON.stringify(found).slice(0, 500)}`);
  };
  await tryMove(database, seededRandom(seed), mover, say).catch((error: unknown) =>
    say('failed', String(error)),
  );
  return faults;
}

type Say = (what: string, found: unknown) => void;

async function tryMove(database: TestDatabase, random: Random, mover: Mover, say: Say): Promise<void> {
  const [one, other] = await makeHouseholds(database, random);
  const before = await familyRows(database, [one.id, other.id]);
  const request = random.chance(0.5) ? splitRequest(random, one, before) : mergeRequest(random, one, other);
  await mover([one.id, other.id], async (session) => {
    const plan = await planMove(session, request);
    if (plan.refusals.length > 0) return say('refused', plan.refusals);
    const done = await makeMove(session, request, plan.hash);
    const after = await familyRows(database, [one.id, other.id, done.to]);
    if (request.kind === 'split') checkSplit(before, after, plan, done.to, say);
    else {
      say('a merge changed rows', same({}, differences(before, after)));
      const behind = [...after.values()].filter(
        ({ family, table }) => family === one.id && table !== 'ops.invitation_mails',
      );
      say('rows left behind', same(plan.conflicts.length, behind.length));
    }
    for (const child of request.children ?? one.children)
      say('a child stayed', same(done.to, after.get(`children ${child}`)?.family));
    await mover([done.from, done.to], (again) => checkWayBack(database, again, done, before, say));
  });
}

/** Undone, all is where it was and as it was, but for the time of rows whose links were cut and tied again. */
async function checkWayBack(
  database: TestDatabase,
  session: Connection,
  done: { move: string; from: string },
  before: Rows,
  say: Say,
): Promise<void> {
  const undo = { kind: 'undo', undoes: done.move };
  const plan = await planMove(session, undo);
  if (plan.refusals.length > 0) return say('the way back is refused', plan.refusals);
  await makeMove(session, undo, plan.hash);
  const families = [...new Set([...before.values()].map(({ family }) => family))];
  const returned = await familyRows(database, families);
  const untied = Object.entries(differences(before, returned)).filter(([, columns]) =>
    columns.some((column) => column !== 'updated_at'),
  );
  say('the way back changed', same([], untied));
  const elsewhere = [...before].filter(([key, { family }]) => returned.get(key)?.family !== family);
  say(
    'the way back ends elsewhere',
    same(
      [],
      elsewhere.map(([key]) => key),
    ),
  );
}

interface Request {
  readonly kind: 'merge' | 'split';
  readonly children?: readonly string[];
}

const mergeRequest = (random: Random, one: Household, other: Household): Request =>
  ({
    kind: 'merge',
    from: one.id,
    to: other.id,
    conflicts: { '*': random.pick(['keep', 'swap']) },
  }) as Request;

const same = (expected: unknown, found: unknown) =>
  JSON.stringify(expected) === JSON.stringify(found) ? undefined : { expected, found };

type Rows = Awaited<ReturnType<typeof familyRows>>;

function splitRequest(random: Random, one: Household, before: Rows): Request {
  const children = random.some(one.children, random.between(1, one.children.length));
  const shared: Record<string, Record<string, string>> = {};
  for (const { table, id, family, row } of before.values()) {
    if (family !== one.id) continue;
    const decide = (choices: readonly string[]) => {
      const name = `public.${table}`;
      shared[name] = { ...shared[name], [id]: random.pick(choices) };
    };
    if (table === 'family_members')
      decide(row.user_id === one.people[0] ? ['copy'] : ['stay', 'move', 'copy']);
    else if (table === 'family_invitations') decide(['stay', 'move']);
    else if (table === 'analytics_events') decide(['stay', 'move', 'copy']);
    else if (table === 'reorder_suggestions' && row.child_id === null) decide(['stay', 'move', 'copy']);
    else if (table === 'inventory_items' && row.child_id === null) decide(['stay', 'move', 'copy']);
  }
  // Stock of one child that another's logs take from is shared too.
  shared['public.inventory_items'] = {
    '*': random.pick(['stay', 'move', 'copy']),
    ...shared['public.inventory_items'],
  };
  return { kind: 'split', from: one.id, name: 'New', children, shared } as Request;
}

/** Only links whose ends parted may differ, and only copies may be new. */
function checkSplit(
  before: Rows,
  after: Rows,
  plan: { cut: { rows: number }[]; tables: { copies: number }[] },
  to: string,
  say: Say,
): void {
  const copies: string[] = [];
  let cut = 0;
  for (const [key, columns] of Object.entries(differences(before, after))) {
    const row = after.get(key);
    if (columns[0] === 'there') {
      copies.push(key);
      say('a copy in the old family', same(to, row?.family));
      continue;
    }
    for (const column of columns) {
      if (column === 'updated_at') continue;
      const was = before.get(key)?.row[column];
      const is = row?.row[column];
      const target =
        column === 'child_id' ? 'children' : column === 'inventory_item_id' ? 'inventory_items' : undefined;
      if (target === undefined) say('changed', { key, column, was, is });
      else if (is === null) {
        cut += 1;
        say(
          'a link was cut though both ends are together',
          after.get(`${target} ${was}`)?.family === row?.family ? key : undefined,
        );
      } else {
        const copy = after.get(`${target} ${is}`);
        say(
          'a link leads astray',
          copy?.family === row?.family && before.get(`${target} ${is}`) === undefined ? undefined : key,
        );
      }
    }
  }
  say(
    'copies',
    same(
      plan.tables.reduce((sum, { copies: n }) => sum + n, 0),
      copies.length,
    ),
  );
  // A copy's own links are cut silently in `differences`, since it is new.
  const planned = plan.cut.reduce((sum, { rows }) => sum + rows, 0);
  say('more links were cut than planned', cut > planned ? { cut, planned } : undefined);
}
