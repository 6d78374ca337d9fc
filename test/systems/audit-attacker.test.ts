import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/platform/database/connection.js';
import { createTestDatabase } from '../support/database.js';
import { type Random, seededRandom, testSeed } from '../support/model/random.js';
import { newHome, openSealedLog, type SealedLog } from '../support/sealed-log.js';
import { asService, makeFamily } from '../support/small-world.js';
import { type Undone, undone } from '../support/undone.js';

const seed = testSeed();
const ACTS = 180;

let log: SealedLog;
let undoing: Undone;

beforeAll(async () => {
  const database = await createTestDatabase();
  log = await openSealedLog(database, database.operators[0], newHome());
  undoing = await undone(log);
  for (const name of ['Roy', 'Tremblay', 'Gagnon']) {
    const family = await makeFamily(database, { name, notes: `of ${name}` });
    await asService(database, async (connection) => {
      await connection.query(`update public.users set last_name = $1 where id = $2`, [name, family.gran.id]);
      await connection.query(
        `insert into public.usage_logs (family_id, child_id, usage_type, caregiver_name, created_by) values ($1, $2, 'diaper_change', $3, $4)`,
        [family.id, family.child, name, family.gran.id],
      );
      await connection.query(
        'delete from public.usage_logs where family_id = $1 and caregiver_name is null',
        [family.id],
      );
    });
    await log.seal();
  }
  await log.superuser.query(
    `insert into public.families (name) select 'F' || n from generate_series(1, 320) n`,
  );
  await log.seal();
  await log.write('unsealed');
});
afterAll(async () => {
  await undoing?.close();
  await log?.close();
});

/** Something a superuser does. `false`: it came to nothing that the log vouches for. */
interface Act {
  readonly name: string;
  readonly run: (superuser: Connection, random: Random) => Promise<string | false>;
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** Another value of a type, from the one there is. */
const OTHER: Readonly<Record<string, (column: string) => string>> = {
  bigint: (c) => `coalesce(${c}, 0) + 1000000`,
  integer: (c) => `coalesce(${c}, 0) + 1`,
  xid8: (c) => `(${c}::text::bigint - 1)::text::xid8`,
  text: (c) => `coalesce(${c}, '') || 'x'`,
  uuid: () => 'gen_random_uuid()',
  json: (c) => `(coalesce(${c}::jsonb, '{}') || '{"smuggled": 1}')::json`,
  bytea: (c) => `sha256(coalesce(${c}, 'x'))`,
  boolean: (c) => `not ${c}`,
  'timestamp with time zone': (c) => `${c} + interval '1 microsecond'`,
  'text[]': (c) => `coalesce(${c}, '{}') || 'smuggled'::text`,
  'bytea[]': (c) => `coalesce(${c}, '{}') || sha256('x')`,
  'audit.operation': (c) => `case when ${c} = 'INSERT' then 'UPDATE' else 'INSERT' end::audit.operation`,
};

async function columnsOf(superuser: Connection, table: string): Promise<Column[]> {
  return await superuser.query<Column>(
    `select quote_ident(attname) as name, format_type(atttypid, null) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table],
  );
}

async function somewhere(superuser: Connection, table: string, random: Random, where = ''): Promise<string> {
  const places = await superuser.query<{ place: string }>(
    `select format('tableoid = %s and ctid = %L', tableoid, ctid) as place from ${table} ${where} order by tableoid, ctid`,
  );
  return random.pick(places).place;
}

/** An event that has its leaf: what is not sealed yet, a superuser may make up without a trace. */
const sealedEvent = (superuser: Connection, random: Random) =>
  somewhere(superuser, 'audit.events', random, 'where xid < (select watermark from audit.tree)');

/** One column of one row of a table becomes another. */
async function editCell(
  superuser: Connection,
  random: Random,
  table: string,
  skipped: readonly string[] = [],
): Promise<string | false> {
  const columns = (await columnsOf(superuser, table)).filter(({ name }) => !skipped.includes(name));
  const { name, type } = random.pick(columns);
  const other = OTHER[type];
  if (other === undefined) throw new Error(`${table}.${name}: another value of ${type}?`);
  const place = await somewhere(superuser, table, random);
  await superuser.query(`update ${table} set ${name} = ${other(name)} where ${place}`);
  return `${table}.${name}`;
}

async function deleteRow(superuser: Connection, random: Random, table: string): Promise<string> {
  await superuser.query(`delete from ${table} where ${await somewhere(superuser, table, random)}`);
  return `a row of ${table}`;
}

const forgedEvent = (place: string, changes: string) => `
  create temporary table forged on commit drop as select (jsonb_populate_record(e, '${changes}')).* from audit.events e where ${place};
  update forged f set leaf = audit.leaf_of(row(f.*)::audit.events);
  insert into audit.events select * from forged`;

/** A byte of a column becomes another. */
const flip = (column: string, at: number) => `set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`;

const CAPTURED = ['public.families', 'public.users', 'public.usage_logs', 'audit.readings'];

const ACTS_THERE_ARE: readonly Act[] = [
  // The category of a partition is its bound, and another value of it no row of that partition.
  { name: 'edits an event', run: (s, r) => editCell(s, r, 'audit.events', ['category']) },
  {
    name: 'edits an event and its leaf',
    run: async (s, r) => {
      const place = await sealedEvent(s, r);
      const column = r.pick(['session_login', 'request_id', 'table_name', 'reason', 'duty']);
      await s.query(`update audit.events e set ${column} = coalesce(${column}, '') || 'x' where ${place}`);
      await s.query(`update audit.events e set leaf = audit.leaf_of(e) where ${place}`);
      return column;
    },
  },
  {
    name: 'deletes an event',
    run: async (s, r) => {
      const place = await sealedEvent(s, r);
      await s.query(`delete from audit.events where ${place}`);
      return place;
    },
  },
  {
    name: 'takes the parts of an event away',
    run: async (s, r) => {
      const place = await somewhere(s, 'audit.events', r);
      const part = r.pick([
        'new_row = null',
        'old_row = null',
        'salts = array_fill(null::bytea, array[cardinality(salts)])',
      ]);
      const { rowCount } = await s.queryResult(
        `update audit.events set ${part} where ${place} and (${part.startsWith('salts') ? 'true' : part.replace('= null', 'is not null')})`,
      );
      return rowCount === 1 && part;
    },
  },
  {
    name: 'erases a part under a request of nobody’s',
    run: async (s, r) => {
      const place = await somewhere(s, 'audit.events', r, 'where salts[2] is not null');
      await s.query(`update audit.events e set family_id = null, subject_user = null, record_id = null, record_key = null, changed_columns = null, old_row = null, new_row = null,
        salts = (x.w).salts, erased_hashes = (x.w).erased_hashes, erased_requests = (x.w).erased_requests
        from (select o.id, audit.without_part(o, 2, 'DEL-1') as w from audit.events o where ${place}) x where e.id = x.id`);
      return 'part 2';
    },
  },
  {
    name: 'inserts a backdated event',
    run: async (s, r) => {
      await s.query(forgedEvent(await sealedEvent(s, r), '{"id": 9000000}'));
      return 'with a leaf of its own';
    },
  },
  {
    name: 'inserts an event twice',
    run: async (s, r) => {
      const place = await sealedEvent(s, r);
      await s.query(forgedEvent(place, '{"id": 9000001, "ticket": "X-1"}'));
      await s.query(`delete from audit.events where ${place}`);
      return 'in the place of another';
    },
  },
  {
    name: 'swaps two events',
    run: async (s, r) => {
      const ids = (await s.query<{ id: string }>('select id::text from audit.events order by id')).map(
        ({ id }) => id,
      );
      const [one, two] = r.some(ids, 2);
      const column = r.pick(['new_row', 'xid', 'occurred_at', 'salts', 'leaf']);
      const { differs } = await s.one<{ differs: boolean }>(
        `select a.${column}::text is distinct from b.${column}::text as differs from audit.events a, audit.events b where a.id = $1 and b.id = $2`,
        [one, two],
      );
      await s.query(
        `create temporary table pair on commit drop as select id, ${column} as v from audit.events where id in (${one}, ${two})`,
      );
      await s.query(
        `update audit.events e set ${column} = p.v from pair p where e.id in (${one}, ${two}) and p.id in (${one}, ${two}) and p.id <> e.id`,
      );
      return differs && `${column} of ${one} and ${two}`;
    },
  },
  {
    name: 'writes an event of a transaction to come',
    run: async (s, r) => {
      await s.query(
        forgedEvent(await somewhere(s, 'audit.events', r), '{"id": 9000002, "xid": "4000000000"}'),
      );
      return 'xid 4000000000';
    },
  },
  {
    name: 'changes a byte of a tile',
    run: async (s, r) => {
      const place = await somewhere(s, 'audit.tiles', r);
      const { level, bytes } = await s.one<{ level: number; bytes: number }>(
        `select level, octet_length(hashes) as bytes from audit.tiles where ${place}`,
      );
      const column = level > 0 ? 'hashes' : r.pick(['hashes', 'entries', 'families']);
      const width = { hashes: 32, entries: 30, families: 4 }[column] as number;
      const at = r.between(0, (bytes / 32) * width - 1);
      await s.query(`update audit.tiles set ${column} = ${flip(column, at)} where ${place}`);
      return `${column} ${at} at level ${level}`;
    },
  },
  {
    name: 'cuts a tile',
    run: async (s, r) => {
      const place = await somewhere(s, 'audit.tiles', r, 'where level = 0');
      await s.query(
        `update audit.tiles set hashes = substr(hashes, 33), entries = substr(entries, 31), families = substr(families, 5) where ${place}`,
      );
      return 'its first leaf';
    },
  },
  { name: 'deletes a tile', run: (s, r) => deleteRow(s, r, 'audit.tiles') },
  {
    name: 'edits a checkpoint',
    run: async (s, r) => {
      const place = await somewhere(s, 'audit.checkpoints', r);
      const column = r.pick(['note', 'size', 'root', 'origin']);
      await s.query(
        'alter table audit.checkpoints drop constraint checkpoints_note, drop constraint checkpoints_root',
      );
      const value =
        column === 'size'
          ? 'size + 1'
          : column === 'root'
            ? flip('root', 3)
            : `replace(${column}, substr(${column}, 20, 1), 'x')`;
      await s.query(`update audit.checkpoints set ${column} = ${value} where ${place}`);
      return column;
    },
  },
  {
    name: 'deletes a checkpoint',
    run: async (s, r) => {
      const place = await somewhere(s, 'audit.checkpoints', r);
      await s.query(`delete from audit.checkpoints where ${place}`);
      return place;
    },
  },
  {
    name: 'edits the state of the tree',
    run: async (s, r) => {
      const change = r.pick([
        'size = size - 1',
        'size = size + 1',
        'first_epoch = first_epoch + 1',
        `watermark = '3'`,
        `watermark = '4000000000'`,
        'log_id = gen_random_uuid()',
      ]);
      await s.query(`update audit.tree set ${change}`);
      return change;
    },
  },
  { name: 'edits an epoch', run: (s, r) => editCell(s, r, 'audit.epochs', ['epoch']) },
  {
    name: 'makes an epoch up',
    run: async (s) => {
      await s.query(
        'insert into audit.epochs (epoch, system_identifier, timeline, tree_size, seen_size) select 2, system_identifier, timeline, 0, 0 from audit.epochs',
      );
      return 'epoch 2';
    },
  },
  {
    name: 'makes an archive up',
    run: async (s) => {
      await s.query(`insert into audit.archives (category, month, place, tree_from, tree_size, begun_by, events, first_leaf, last_leaf, leaves, manifest, record, recorded_at, recorded_by, dropped_at, dropped_by)
        select 'modification', date_trunc('month', now())::date, 's3://x', 0, 300, 'me', 300, 0, 299, repeat('0', 64), repeat('0', 64), '{}', now(), 'me', now(), 'me'`);
      await s.query(`delete from audit.events where table_name = 'public.usage_logs'`);
      return 'of this month';
    },
  },
  { name: 'edits a chain of a family', run: (s, r) => editCell(s, r, 'audit.family_chains', ['number']) },
  { name: 'deletes a chain of a family', run: (s, r) => deleteRow(s, r, 'audit.family_chains') },
  {
    name: 'renumbers the chains',
    run: async (s) => {
      await s.query(
        'alter table audit.family_chains alter column number drop identity; update audit.family_chains set number = -number',
      );
      return 'all';
    },
  },
  {
    name: 'edits a kept catalogue',
    run: async (s) => {
      const { rowCount } = await s.queryResult(
        `update audit.catalogues set content = content || '{"x": ["y", null]}'`,
      );
      return (rowCount ?? 0) > 0 && 'content';
    },
  },
  {
    name: 'touches a trigger',
    run: async (s, r) => {
      const triggers = await s.query<{ table: string; name: string }>(
        `select tgrelid::regclass::text as "table", quote_ident(tgname) as name from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where not tgisinternal and not c.relispartition and tgrelid::regclass::text = any($1) or tgrelid = 'audit.events'::regclass and not tgisinternal order by 1, 2`,
        [CAPTURED],
      );
      const { table, name } = r.pick(triggers);
      const how = r.pick([
        `alter table ${table} disable trigger ${name}`,
        `alter table ${table} disable trigger ${name}; alter table ${table} enable trigger ${name}`,
        `alter table ${table} enable replica trigger ${name}`,
        `drop trigger ${name} on ${table}`,
        `alter table ${table} disable trigger all`,
      ]);
      await s.query(how);
      return how;
    },
  },
  {
    name: 'replaces a function',
    run: async (s, r) => {
      const functions = await s.query<{ oid: string; name: string }>(
        `select p.oid::text, p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('audit', 'private') and p.prokind = 'f' and p.prosqlbody is null order by 2`,
      );
      const { oid, name } = r.pick(functions);
      const how = r.pick([
        "prosrc = prosrc || E'\\n'",
        'prosecdef = not prosecdef',
        `proconfig = '{search_path=public}'`,
      ]);
      await s.query(`update pg_proc set ${how} where oid = ${oid}`);
      return `${name}: ${how}`;
    },
  },
  {
    name: 'grants something',
    run: async (s, r) => {
      const table = r.pick([
        'audit.events',
        'audit.tiles',
        'audit.checkpoints',
        'audit.tree',
        'audit.epochs',
        'audit.archives',
        'public.families',
      ]);
      const right = r.pick(['truncate', 'references', 'trigger']);
      await s.query(`grant ${right} on ${table} to nestsync_support`);
      return `${right} on ${table}`;
    },
  },
  {
    name: 'changes a policy',
    run: async (s, r) => {
      const how = r.pick([
        'alter table audit.events disable row level security',
        'create policy opened on audit.events for update to service_role using (true)',
        'alter policy tree_owner_all on audit.tree using (false)',
        'create rule swallow as on insert to audit.events do instead nothing',
        'alter table audit.readings owner to service_role',
        'alter table audit.events owner to service_role',
      ]);
      await s.query(how);
      return how;
    },
  },
  {
    name: 'does not capture a table any more',
    run: async (s, r) => {
      const table = r.pick(CAPTURED.slice(0, 3));
      await s.query(`delete from audit.captured_tables where table_name = '${table}'::regclass`);
      return table;
    },
  },
];

/** What changes nothing that the log vouches for. */
const HARMLESS: readonly Act[] = [
  {
    name: 'sets defaults that capture never uses',
    run: async (s, r) => {
      const how = r.pick([
        `alter table audit.events alter column reason set default 'lawful'`,
        `alter table audit.events alter column occurred_at set default '2020-01-01'`,
      ]);
      await s.query(how);
      return how;
    },
  },
  {
    name: 'writes rows',
    run: async () => {
      // In transactions of their own, which stay.
      await log.write('lawful');
      return 'as anybody may';
    },
  },
  {
    name: 'writes an event anew as it is',
    run: async (s, r) => {
      await s.query(
        `update audit.events set leaf = leaf, new_row = new_row where ${await somewhere(s, 'audit.events', r)}`,
      );
      return 'the same bytes';
    },
  },
  {
    name: 'makes a table of its own',
    run: async (s) => {
      await s.query(
        'create schema other; create table other.things (id integer); grant truncate on other.things to public',
      );
      return 'elsewhere';
    },
  },
  {
    name: 'makes an index',
    run: async (s) => {
      await s.query('create index on audit.checkpoints (made_at); analyze audit.events');
      return 'and statistics';
    },
  },
  {
    name: 'makes the partitions of the next months',
    run: async () => {
      await log.sre.query('select ops.prepare_audit_partitions()');
      return 'as maintenance does';
    },
  },
  {
    name: 'changes a row of an uncaptured kind',
    run: async (s) => {
      await s.query(
        `comment on table audit.events is 'another comment'; alter table public.families set (fillfactor = 90)`,
      );
      return 'comments and storage';
    },
  },
];

test(`${ACTS} random acts of a superuser: what changes something the log vouches for is told, and what does not is not (NESTCTL_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
  const missed: string[] = [];
  let told = 0;
  const deck: (readonly [Act, boolean])[] = [
    ...ACTS_THERE_ARE.map((act) => [act, true] as const),
    ...HARMLESS.map((act) => [act, false] as const),
  ];
  for (let number = 0; number < ACTS; number += 1) {
    // Each kind in turn, so that none is left out.
    const [act, harms] = deck[number % deck.length] as readonly [Act, boolean];
    let what: string | false = false;
    const report = await undoing
      .tell(async (superuser) => {
        what = await act.run(superuser, random);
      })
      .catch((error: unknown) => {
        missed.push(`${number}. ${act.name} (${what}): ${(error as Error).message}`);
        return undefined;
      });
    if (report === undefined) continue;
    const said = report.faults.map(({ kind, event, object }) => `${kind} ${event ?? object}`).join(', ');
    if (what === false ? said !== '' : harms !== (report.verdict === 'tampered'))
      missed.push(`${number}. ${act.name} (${what}): ${said || report.verdict}`);
    if (report.verdict === 'tampered') told += 1;
  }
  expect(missed).toEqual([]);
  expect(told).toBeGreaterThan(ACTS / 2);
  // And all of it was taken back.
  expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
});
