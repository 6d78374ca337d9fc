import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { type PlantedWorld, plantPeople } from '../support/planted-people.js';

let database: TestDatabase;
let world: PlantedWorld;
beforeAll(async () => {
  database = await createTestDatabase();
  world = await plantPeople(database, seededRandom(testSeed()));
});
afterAll(() => database?.drop());

/** Tables that have a row for every household or every change, and grow without end. */
const GROWING = /^(public\.|audit\.events$|audit\.readings$)/;
/** As private.views_of_table asks for what is given or seen. */
const SEEN = `case when a.table_name like 'public.%' then private.policy_condition(a.table_name::regclass, 'select') end`;

async function plans(connection: Connection, kind: 'user' | 'child', id: string) {
  const tables = await connection.query<{ name: string; given: string; counted: string; compared: string }>(
    `select a.table_name as name, concat_ws(' or ', s.account, s.household, s.child) as given,
       concat_ws(' or ', s.account, s.household, s.child, s.kin, s.ever, s.entered) as counted,
       concat_ws(' or ', s.account, s.household, s.child, ${SEEN}) as compared
     from (select distinct table_name from privacy.column_answers where exported and private.package_needs(subject) > 0) a
       cross join lateral private.package_scope(a.table_name, $1, $2) s
     where exists (select from pg_class c where c.oid = to_regclass(a.table_name) and c.relkind in ('r', 'p'))
     order by 1`,
    [id, kind],
  );
  const growing = tables.filter(({ name }) => GROWING.test(name));
  const found: { readonly name: string; readonly what: string; readonly plan: string }[] = [];
  for (const { name, given, counted, compared } of growing) {
    for (const [what, condition] of Object.entries({ given, counted, compared })) {
      const lines = await connection.query<{ 'QUERY PLAN': string }>(
        `explain select from ${name} where ${condition}`,
      );
      found.push({ name, what, plan: lines.map((line) => line['QUERY PLAN']).join('\n') });
    }
  }
  return found;
}

describe('the rows of a package among those of everybody else', () => {
  it.each(['user', 'child'] as const)('are found by an index, of a %s', async (kind) => {
    const id = kind === 'user' ? world.subject : (world.children[0]?.id as string);
    const found = await withConnection(database.owner, async (connection) => {
      // Never chosen where anything else can be done, whatever the tables hold.
      await connection.query('set enable_seqscan = off');
      return await plans(connection, kind, id);
    });
    expect(found.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['audit.events', 'public.usage_logs', 'public.inventory_items', 'public.users']),
    );
    const read = found.filter(({ plan }) => /Seq Scan/.test(plan));
    expect(read.map(({ name, what, plan }) => `${name} ${what}\n${plan}`)).toEqual([]);
  });
});
