import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { type AuditEvent, auditEvents, leafOf, partHash } from '../support/audit-leaf.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const PERSON = '20000000-0000-4000-8000-000000000001';
const AUTHOR = '20000000-0000-4000-8000-000000000002';

let database: TestDatabase;
let owner: Connection;
let event: AuditEvent;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await connect(database.owner);
});
afterAll(async () => {
  await owner?.close();
  await database?.drop();
});

/** An event with every part: somebody acts, on a family, for a reason, beside two named people. */
beforeEach(async () => {
  await withConnection(database.app, async (app) => {
    await app.query('begin');
    await app.query(
      `select set_config('nestsync.reason', 'asked by phone', true), set_config('nestsync.ticket', 'SUP-1', true)`,
    );
    await app.query('set local role authenticated');
    await app.query(`select set_config('request.jwt.claims', '{"sub": "${PERSON}"}', true)`);
    await app.query('commit');
  });
  await owner.query(`
    insert into public.users (id, email, status) values ('${PERSON}', 'zoe@nestsync.example', 'active') on conflict do nothing;
    delete from public.families;
    insert into public.families (id, name) values ('10000000-0000-4000-8000-000000000001', 'Roy');
    insert into public.family_members (family_id, user_id, role) values ('10000000-0000-4000-8000-000000000001', '${PERSON}', 'family_core');
    insert into public.children (family_id, id, name, date_of_birth)
      values ('10000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001', 'Léo', '2025-01-01');`);
  await withConnection(
    database.app,
    (app) =>
      app.query(
        `insert into public.usage_logs (family_id, child_id, usage_type, caregiver_name, created_by, notes)
         values ('10000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001', 'wipe_use', 'Marie Tremblay', '${PERSON}', 'secret of Léo')`,
      ),
    {
      settings: {
        role: 'authenticated',
        'request.jwt.claims': JSON.stringify({ sub: PERSON }),
        'nestsync.reason': 'asked by phone',
        'nestsync.ticket': 'SUP-1',
      },
    },
  );
  event = await latest();
});

const latest = async () => {
  const events = await auditEvents(owner, `table_name = 'public.usage_logs' and operation = 'INSERT'`);
  return events.at(-1) as AuditEvent;
};
const update = (set: string) => owner.query(`update audit.events set ${set} where id = $1`, [event.id]);
const erase = (part: number, request: string | null = 'DSR-2026-1') =>
  owner.query('select audit.erase_part($1, $2, $3) as done', [event.id, part, request]);
const hashOf = (part: number) => `audit.part_hash(events, ${part})`;

describe('an event', () => {
  it.each([
    'update audit.events set ticket = ticket',
    `update audit.events set reason = 'another'`,
    'delete from audit.events',
    'truncate audit.events',
    'update audit.events_modification set ticket = null',
    'delete from audit.events_modification',
    'truncate audit.events_modification',
    'update audit.events_modification_default set ticket = null',
    'delete from audit.epochs',
    'update audit.epochs set timeline = 2',
    'truncate audit.epochs',
  ])('is refused to the owner: %s', async (statement) => {
    if (statement.includes('_default')) return expectNothingToChange(statement);
    await expect(owner.query(statement)).rejects.toThrow(/never|TRUNCATE/);
  });

  const expectNothingToChange = async (statement: string) => {
    expect((await owner.queryResult(statement)).rowCount).toBe(0);
  };

  it('is refused to the owner in each partition by name: update, delete, truncate and insert', async () => {
    const partitions = await owner.query<{ name: string; rows: boolean }>(`
      select c.oid::regclass::text as name, exists (select from audit.events e where e.tableoid = c.oid) as rows
      from pg_partition_tree('audit.events') p join pg_class c on c.oid = p.relid where p.relid <> 'audit.events'::regclass`);
    expect(partitions.length).toBeGreaterThan(25);
    for (const { name } of partitions) {
      await expect(owner.query(`truncate ${name}`)).rejects.toThrow(/TRUNCATE/);
      await expect(owner.query(`insert into ${name} select * from audit.events limit 1`)).rejects.toThrow(
        /capture alone/,
      );
      await expect(owner.query(`insert into ${name} select * from audit.events limit 0`)).rejects.toThrow(
        /capture alone/,
      );
    }
    for (const { name } of partitions.filter(({ rows }) => rows)) {
      await expect(owner.query(`update ${name} set ticket = 'x'`)).rejects.toThrow(/never changed/);
      await expect(owner.query(`delete from ${name}`)).rejects.toThrow(/never deleted/);
    }
    await expect(owner.query('insert into audit.events select * from audit.events limit 1')).rejects.toThrow(
      /capture alone/,
    );
  });

  it('is out of reach for the app, the service and operators', async () => {
    const sessions = [
      [database.app, 'authenticated'],
      [database.service, 'service_role'],
      [database.operators[0], 'nestsync_admin'],
      [database.operators[0], 'nestsync_support'],
    ] as const;
    for (const [target, role] of sessions) {
      await withConnection(target, async (session) => {
        await session.query(`set role ${role}`);
        for (const table of ['audit.events', 'audit.events_modification', 'audit.epochs']) {
          for (const statement of [
            `update ${table} set epoch = 2`,
            `delete from ${table}`,
            `truncate ${table}`,
            `insert into ${table} default values`,
          ]) {
            await expect(session.query(statement)).rejects.toMatchObject({ kind: 'not_allowed' });
          }
        }
        await expect(session.query(`select audit.erase_part(${event.id}, 2, 'DSR-1')`)).rejects.toMatchObject(
          {
            kind: 'not_allowed',
          },
        );
      });
    }
  });

  it('is not made by somebody who writes a trigger of their own', async () => {
    await withConnection(database.app, async (app) => {
      await app.query(`create function pg_temp.forge() returns trigger language plpgsql as $$
        begin insert into audit.events select * from audit.events limit 1; return null; end $$`);
      await app.query('create temp table bait (id int)');
      await app.query('create trigger forge after insert on bait execute function pg_temp.forge()');
      await expect(app.query('insert into bait values (1)')).rejects.toMatchObject({ kind: 'not_allowed' });
    });
  });
});

describe('an update that is no lawful erasure', () => {
  const hashes = (part: number, hash: string) =>
    `erased_hashes = (select array_agg(case when i = ${part} then ${hash} end order by i) from generate_series(1, 5) i)`;
  const requests = (part: number, request: string) =>
    `erased_requests = (select array_agg(case when i = ${part} then ${request} end order by i) from generate_series(1, 5) i)`;

  it.each<[string, () => string]>([
    ['changes content and keeps the leaf', () => `new_row = '{"notes": "other"}'`],
    ['changes content and writes the leaf that fits', () => `reason = 'other', leaf = sha256('x')`],
    ['changes a clear field', () => `session_login = 'somebody'`],
    ['puts a wrong hash', () => `caregiver_erased`],
    [
      'puts the right hash but keeps the salt',
      () => `${hashes(4, hashOf(4))}, ${requests(4, `'DSR-1'`)}, named_new[1] = null`,
    ],
    [
      'puts the right hash, clears the salt but keeps the content',
      () => `${hashes(4, hashOf(4))}, ${requests(4, `'DSR-1'`)}, salts[4] = null`,
    ],
    ['erases without a request', () => `${hashes(4, hashOf(4))}, salts[4] = null, named_new[1] = null`],
    [
      'erases under a blank request',
      () => `${hashes(4, hashOf(4))}, ${requests(4, `' '`)}, salts[4] = null, named_new[1] = null`,
    ],
    ['clears a salt and nothing else', () => 'salts[4] = null'],
    [
      'erases more than the part it names',
      () => `${hashes(4, hashOf(4))}, ${requests(4, `'DSR-1'`)}, salts[4] = null, named_new = null`,
    ],
    [
      'erases half of the subject',
      () => `${hashes(2, hashOf(2))}, ${requests(2, `'DSR-1'`)}, salts[2] = null, new_row = null`,
    ],
    ['appends to an array behind its end', () => `named_new = named_new || 'smuggled'::text`],
    ['adds a hash for a part that there is not', () => `erased_hashes[9] = sha256('x')`],
    ['adds a request to a part that is whole', () => requests(4, `'DSR-1'`)],
    ['shifts the bounds of an array', () => `named_new = ('[2:3]=' || named_new::text)::text[]`],
    ['renames a column', () => `named_columns = '{caregiver,created_by}'`],
  ])('%s', async (_title, set) => {
    const text =
      set() === 'caregiver_erased'
        ? `${hashes(4, `sha256('wrong')`)}, ${requests(4, `'DSR-1'`)}, salts[4] = null, named_new[1] = null`
        : set();
    await expect(update(text)).rejects.toThrow(/never changed/);
    expect(await latest()).toEqual(event);
  });

  it('the same update, done whole, is lawful: it is what erase_part does', async () => {
    await update(`${hashes(4, hashOf(4))}, ${requests(4, `'DSR-1'`)}, salts[4] = null, named_new[1] = null`);
    const after = await latest();
    expect(leafOf(after)).toBe(event.leaf);
    expect(after.named_new).toEqual([null, PERSON]);
  });

  it.each([
    [
      'resurrecting the content',
      `named_new[1] = 'Marie Tremblay', erased_hashes = null, erased_requests = null, salts[4] = sha256('s')`,
    ],
    ['naming another request', `erased_requests[4] = 'DSR-2026-2'`],
    ['dropping the request', 'erased_requests = null'],
    ['another hash', `erased_hashes[4] = sha256('x')`],
    ['other content behind the hash', `named_new[1] = 'Somebody else'`],
  ])('after an erasure, %s', async (_title, set) => {
    await erase(4);
    const erased = await latest();
    await expect(update(set)).rejects.toThrow(/never changed/);
    expect(await latest()).toEqual(erased);
  });
});

describe('an erasure', () => {
  it('takes the parts one by one, each event verifying after each, the others untouched', async () => {
    expect(leafOf(event)).toBe(event.leaf);
    expect(event).toMatchObject({
      app_user: PERSON,
      reason: 'asked by phone',
      ticket: 'SUP-1',
      named_new: ['Marie Tremblay', PERSON],
    });
    const texts = ['Marie Tremblay', 'secret of Léo', 'asked by phone', PERSON];
    const stored = async () => {
      const { text } = await owner.one<{ text: string }>(
        'select e::text as text from audit.events e where id = $1',
        [event.id],
      );
      return texts.filter((one) => text.includes(one));
    };
    expect(await stored()).toEqual(texts);

    for (const [part, left] of [
      [4, ['secret of Léo', 'asked by phone', PERSON]],
      [2, ['asked by phone', PERSON]],
      [3, [PERSON]],
      [5, [PERSON]],
      [1, []],
    ] as const) {
      const before = await latest();
      expect(await erase(part, `DSR-${part}`)).toEqual([{ done: true }]);
      const after = await latest();
      expect(leafOf(after)).toBe(event.leaf);
      expect(after.leaf).toBe(event.leaf);
      expect(await stored()).toEqual(left);
      expect(after.salts[part - 1]).toBeNull();
      expect(after.erased_hashes?.[part - 1]).toBe(partHash(before, part));
      expect(after.erased_requests?.[part - 1]).toBe(`DSR-${part}`);
      for (const other of [1, 2, 3, 4, 5].filter((one) => one !== part)) {
        expect(partHash(after, other)).toBe(partHash(event, other));
        expect(after.salts[other - 1]).toBe(before.salts[other - 1]);
      }
    }
    const { same } = await owner.one<{ same: boolean }>(
      'select leaf = audit.leaf_of(e) as same from audit.events e where id = $1',
      [event.id],
    );
    expect(same).toBe(true);
  });

  it('is answered with false where the part is absent or erased already, and errors name what is wrong', async () => {
    await erase(4);
    expect(await erase(4)).toEqual([{ done: false }]);
    expect(await erase(6)).toEqual([{ done: false }]);
    await expect(erase(2, '  ')).rejects.toThrow(/request/);
    await expect(erase(2, null)).rejects.toThrow(/request/);
    await expect(owner.query(`select audit.erase_part(-1, 2, 'DSR-1')`)).rejects.toThrow(/no audit event/);
  });

  it('is undone with its transaction', async () => {
    await owner.query('begin');
    await erase(2);
    await owner.query('rollback');
    expect(await latest()).toEqual(event);
  });
});

it('hashes are salted: the same change twice has no hash in common', async () => {
  const child = `insert into public.children (family_id, name, date_of_birth, created_by)
    values ('10000000-0000-4000-8000-000000000001', 'Jumeau', '2025-01-01', '${AUTHOR}')`;
  await owner.query(
    `${child}, ('10000000-0000-4000-8000-000000000001', 'Jumelle', '2025-01-01', '${AUTHOR}')`,
  );
  await owner.query(child);
  const events = (await auditEvents(owner, `table_name = 'public.children'`)).slice(-3);
  const hashes = events.flatMap((one) => [partHash(one, 2), partHash(one, 4)]);
  expect(new Set(hashes).size).toBe(6);
  expect(new Set(events.flatMap(({ salts }) => salts.filter((salt) => salt !== null))).size).toBe(6);
});
