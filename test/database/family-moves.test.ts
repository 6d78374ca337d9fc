import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  asMover,
  familyRows,
  makeMove,
  planAndMove,
  planMove,
  whereabouts,
  withoutFamily,
} from '../support/family-moves.js';
import { makeHouseholds } from '../support/households.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { randomMove } from '../support/random-moves.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let operator: ConnectionTarget;
let one: SmallFamily;
let other: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('support');
});
beforeEach(async () => {
  one = await makeFamily(database, { name: 'Tremblay' });
  other = await makeFamily(database, { name: 'Gagnon', child: 'Luc' });
});
afterAll(() => database?.drop());

const mover = <T>(families: readonly string[], work: (session: Connection) => Promise<T>) =>
  asMover(operator, families, work);
const merge = () => ({ kind: 'merge', from: one.id, to: other.id });
const codes = (plan: { refusals: { code: string }[] }) => plan.refusals.map(({ code }) => code);

/** A member's sight: how many rows of each table they see. */
async function sight(person: string): Promise<Record<string, number>> {
  return await withConnection(database.app, async (app) => {
    await app.query('set role authenticated');
    await app.query(`select set_config('request.jwt.claims', $1, false)`, [JSON.stringify({ sub: person })]);
    const counts: Record<string, number> = {};
    for (const table of ['children', 'usage_logs', 'family_members', 'inventory_items'])
      counts[table] = (await app.one<{ n: number }>(`select count(*)::int as n from public.${table}`)).n;
    return counts;
  });
}

test('random families are merged and split and returned, and nothing is lost or changed but family and parted links', async () => {
  const seed = testSeed();
  for (let at = 0; at < 6; at += 1) {
    const faults = await randomMove(database, seed + at, mover);
    expect(faults, `NESTCTL_TEST_SEED=${seed + at}`).toEqual([]);
  }
});

test('the log of a move has each row going out and coming in, under the move and nothing else', async () => {
  const [giving, taking] = await makeHouseholds(database, seededRandom(7), { logs: 40, both: 0 });
  const before = await familyRows(database, [giving.id]);
  const done = await mover([giving.id, taking.id], (session) =>
    planAndMove(session, { kind: 'merge', from: giving.id, to: taking.id, conflicts: { '*': 'swap' } }),
  );
  const after = await familyRows(database, [taking.id]);
  const moved = [...before.keys()].filter((key) => after.has(key));
  expect(moved.length).toBeGreaterThan(20);
  await withConnection(database.superuser, async (superuser) => {
    const events = await superuser.query<{
      table_name: string;
      record_id: string;
      operation: string;
      family_id: string;
      image: string;
      named: string;
      xid: string;
      reason: string;
      ok: boolean;
    }>(
      `select table_name, record_id, operation, family_id, xid::text, reason, named_old::text || named_new::text as named,
         (coalesce(old_row, new_row)::jsonb - 'family_id')::text as image, audit.leaf_of(e) = leaf as ok
       from audit.events e where request_id = $1 and operation <> 'UPDATE' and table_name not in ('ops.moves') order by id`,
      [done.move],
    );
    const move = await superuser.one<{ xid: string }>('select xid::text from ops.moves where id = $1', [
      done.move,
    ]);
    const byRow = new Map<string, typeof events>();
    for (const event of events) {
      const key = `${event.table_name.replace('public.', '')} ${event.record_id}`;
      byRow.set(key, [...(byRow.get(key) ?? []), event]);
    }
    for (const key of moved) {
      const pair = byRow.get(key) ?? [];
      expect([key, pair.map(({ operation, family_id }) => [operation, family_id]).sort()]).toEqual([
        key,
        [
          ['DELETE', giving.id],
          ['INSERT', taking.id],
        ],
      ]);
      expect(pair[0]?.image).toBe(pair[1]?.image);
    }
    for (const event of events)
      expect([event.xid, event.reason, event.ok]).toEqual([move.xid, 'a test of family moves', true]);
  });
});

describe('after a merge', () => {
  test('members see what their role gives them of the new family, nobody sees anything of the old one', async () => {
    const plan = await mover([one.id, other.id], (session) => planMove(session, merge()));
    expect(
      plan.people.map(({ email, more_children, newly_reads }: never) => ({
        email,
        more_children,
        newly_reads,
      })),
    ).toEqual(
      [one.core, one.gran, other.core, other.gran]
        .map(({ email }) => ({
          email,
          more_children: 1,
          newly_reads: expect.arrayContaining(['children', 'usage']),
        }))
        .sort((a, b) => (a.email < b.email ? -1 : 1)),
    );
    await mover([one.id, other.id], (session) => planAndMove(session, merge()));
    for (const person of [one.core, one.gran, other.core, other.gran])
      expect(await sight(person.id)).toEqual({
        children: 2,
        usage_logs: 2,
        family_members: 4,
        inventory_items: 0,
      });
    expect(whereabouts(await familyRows(database, [one.id]))).toEqual({});
    const left = await asService(database, (service) =>
      service.one<{ archived: boolean }>(
        'select archived_at is not null as archived from public.families where id = $1',
        [one.id],
      ),
    );
    expect(left.archived).toBe(true);
  });

  test('nothing lands in the family that was given up, until the merge is undone', async () => {
    const done = await mover([one.id, other.id], (session) => planAndMove(session, merge()));
    const write = () =>
      asService(database, (service) =>
        service.query(
          `insert into public.inventory_items (family_id, product_type, quantity_total, quantity_remaining) values ($1, 'diaper', 1, 1)`,
          [one.id],
        ),
      );
    await expect(write()).rejects.toThrow('merged into');
    await mover([one.id, other.id], (session) => planAndMove(session, { kind: 'undo', undoes: done.move }));
    await write();
    const again = await mover([one.id, other.id], (session) =>
      planMove(session, { kind: 'undo', undoes: done.move }),
    );
    expect(codes(again)).toContain('undone');
  });

  test('a row tells which families it has lived in, and by which move', async () => {
    const done = await mover([one.id, other.id], (session) => planAndMove(session, merge()));
    const homes = await mover([other.id], (session) =>
      session.query(
        'select family_id, until is null as still, came_by, left_by from ops.row_families($1, $2)',
        ['public.children', one.child],
      ),
    );
    expect(homes).toEqual([
      { family_id: one.id, still: false, came_by: null, left_by: done.move },
      { family_id: other.id, still: true, came_by: done.move, left_by: null },
    ]);
    const third = await makeFamily(database, { name: 'Roy' });
    const unseen = await asMover(await database.makeOperator('support'), [third.id], (session) =>
      session.query('select * from ops.row_families($1, $2)', ['public.children', one.child]),
    );
    expect(unseen).toEqual([]);
  });
});

describe('of two rows that cannot both be there', () => {
  beforeEach(async () => {
    await asService(database, async (service) => {
      await service.query(
        `insert into public.family_members (family_id, user_id, role) values ($1, $2, 'professional')`,
        [other.id, one.core.id],
      );
      for (const [family, role] of [
        [one.id, 'family_core'],
        [other.id, 'professional'],
      ])
        await service.query(
          `insert into public.family_invitations (family_id, email, role, token_hash) values ($1, 'Mamie@example.ca', $2, sha256(uuid_send(gen_random_uuid())))`,
          [family, role],
        );
    });
  });

  test('a merge lists each and refuses, whoever asks', async () => {
    await mover([one.id, other.id], async (session) => {
      const plan = await planMove(session, merge());
      expect(plan.conflicts.map(({ index }: { index: string }) => index).sort()).toEqual([
        'family_invitations_pending_key',
        'family_members_person_once',
      ]);
      expect(codes(plan)).toEqual(['conflict', 'conflict']);
      await expect(makeMove(session, merge(), plan.hash)).rejects.toThrow('cannot both be there');
    });
    expect(new Set(Object.values(whereabouts(await familyRows(database, [one.id]))))).toEqual(
      new Set([one.id]),
    );
  });

  test.each([
    ['keep', 'professional'],
    ['swap', 'family_core'],
  ])('%s decides which one counts, and the other is not lost', async (choice, role) => {
    const before = await familyRows(database, [one.id, other.id]);
    await mover([one.id, other.id], async (session) => {
      const request = { ...merge(), conflicts: { '*': choice } };
      const plan = await planMove(session, request);
      const her = plan.people.find(({ user_id }: { user_id: string }) => user_id === one.core.id);
      expect([her.to_before, her.to_after]).toEqual(['professional', role]);
      expect(her.no_longer_reads.includes('inventory')).toBe(choice === 'keep');
      await makeMove(session, request, plan.hash);
    });
    const after = await familyRows(database, [one.id, other.id]);
    expect(withoutFamily(after)).toEqual(withoutFamily(before));
    const counts = [...after.values()].filter(
      ({ row, family }) => row.user_id === one.core.id && family === other.id,
    );
    expect(counts.map(({ row }) => row.role)).toEqual([role]);
  });
});

describe('a move is refused', () => {
  test('without a grant for both families, a duty, a reason, or while acting for a person', async () => {
    await mover([one.id], async (session) => {
      await expect(planMove(session, merge())).rejects.toMatchObject({ code: 'no_grant' });
      await expect(makeMove(session, merge(), '')).rejects.toMatchObject({ code: 'no_grant' });
    });
    await mover([one.id, other.id], async (session) => {
      await session.query(`select set_config('nestsync.ticket', '', false)`);
      await expect(planMove(session, merge())).rejects.toMatchObject({ code: 'reason_missing' });
    });
    const compliance = await database.makeOperator('compliance');
    await asMover(
      compliance,
      [one.id, other.id],
      async (session) => {
        await expect(planMove(session, merge())).rejects.toMatchObject({ code: 'permission_denied' });
      },
      'compliance',
    );
  });

  test('in halves, by whoever writes SQL by hand', async () => {
    await mover([one.id, other.id], async (session) => {
      for (const statement of [
        `select private.move_statement('{}', '[]')`,
        `insert into ops.moves (kind, from_family, to_family, children, plan_hash, reason, ticket) values ('merge', '${one.id}', '${other.id}', '{}', 'x', 'a long enough reason', 'SUP-1')`,
        `update public.children set family_id = '${other.id}' where family_id = '${one.id}'`,
        `delete from public.children where family_id = '${one.id}'`,
      ])
        await expect(session.query(statement), statement).rejects.toMatchObject({
          code: 'permission_denied',
        });
    });
    await asService(database, async (service) => {
      await expect(
        service.query('update public.children set family_id = $2 where family_id = $1', [one.id, other.id]),
      ).rejects.toThrow('never changes');
    });
  });

  test('where rows, decisions or tables have changed since the plan', async () => {
    await mover([one.id, other.id], async (session) => {
      const plan = await planMove(session, merge());
      await expect(makeMove(session, { ...merge(), conflicts: { '*': 'swap' } }, plan.hash)).rejects.toThrow(
        'have changed',
      );
      await asService(database, (service) =>
        service.query(`update public.usage_logs set notes = 'later' where family_id = $1`, [one.id]),
      );
      await expect(makeMove(session, merge(), plan.hash)).rejects.toThrow('have changed');
      const second = await planMove(session, merge());
      await withConnection(database.owner, (owner) =>
        owner.query(`create unique index later_key on public.children (family_id, name, date_of_birth)`),
      );
      try {
        await expect(makeMove(session, merge(), second.hash)).rejects.toThrow('have changed');
      } finally {
        await withConnection(database.owner, (owner) => owner.query('drop index public.later_key'));
      }
    });
  });

  test('at an isolation level that does not see what it waited for', async () => {
    await mover([one.id, other.id], async (session) => {
      const plan = await planMove(session, merge());
      await session.query('begin isolation level repeatable read');
      await expect(makeMove(session, merge(), plan.hash)).rejects.toThrow('read committed');
      await session.query('rollback');
    });
  });

  test('where children would be without a family_core member, on either side', async () => {
    await asService(database, (service) =>
      service.query(
        `insert into public.children (family_id, name, date_of_birth) values ($1, 'Noé', '2026-01-01')`,
        [one.id],
      ),
    );
    const split = { kind: 'split', from: one.id, name: 'New', children: [one.child] };
    await mover([one.id], async (session) => {
      expect(codes(await planMove(session, { ...split, shared: {} }))).toEqual(['undecided', 'no_core']);
      expect(codes(await planMove(session, { ...split, shared: { '*': 'stay' } }))).toEqual(['no_core']);
      expect(codes(await planMove(session, { ...split, shared: { '*': 'move' } }))).toEqual(['no_core']);
      expect(codes(await planMove(session, { ...split, shared: { '*': 'copy' } }))).toEqual([]);
    });
  });

  test('by name, where a decision is none or names what is not there', async () => {
    await mover([one.id], async (session) => {
      const split = { kind: 'split', from: one.id, name: 'New', children: [one.child] };
      await expect(planMove(session, { ...split, shared: { '*': 'burn' } })).rejects.toMatchObject({
        code: 'invalid_input',
      });
      await expect(planMove(session, { ...split, shared: { 'public.nonsense': 'stay' } })).rejects.toThrow(
        'nonsense',
      );
      const log = [...(await familyRows(database, [one.id])).values()].find(
        ({ table }) => table === 'usage_logs',
      );
      const half = await planMove(session, {
        ...split,
        shared: { '*': 'copy', 'public.usage_logs': { [log?.id ?? '']: 'stay' } },
      });
      expect(codes(half)).toEqual(['not_shared']);
      expect(
        codes(await planMove(session, { ...split, children: [other.child], shared: { '*': 'copy' } })),
      ).toContain('no_such_child');
    });
  });
});

describe('writers meanwhile', () => {
  test('who wrote first are waited for, and the plan that did not know them is refused', async () => {
    const writer = await connect(database.service);
    await mover([one.id, other.id], async (session) => {
      const plan = await planMove(session, merge());
      await writer.query('set role service_role');
      await writer.query('begin');
      await writer.query(
        `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'wipe_use')`,
        [one.id, one.child],
      );
      const move = makeMove(session, merge(), plan.hash);
      const settled = await Promise.race([
        move.then(
          () => 'done',
          () => 'failed',
        ),
        new Promise((resolve) => setTimeout(resolve, 400, 'waits')),
      ]);
      expect(settled).toBe('waits');
      await writer.query('commit');
      await expect(move).rejects.toThrow('have changed');
    });
    await writer.close();
    const logs = [...(await familyRows(database, [one.id])).values()].filter(
      ({ table }) => table === 'usage_logs',
    );
    expect(logs.length).toBe(2);
  });

  test('who come later wait, and find the family gone or write to the one that is left', async () => {
    await mover([one.id, other.id], async (session) => {
      const plan = await planMove(session, merge());
      await session.query('begin');
      await makeMove(session, merge(), plan.hash);
      const item = (family: string) =>
        asService(database, (service) =>
          service.query(
            `insert into public.inventory_items (family_id, product_type, quantity_total, quantity_remaining) values ($1, 'diaper', 1, 1)`,
            [family],
          ),
        ).then(
          () => 'written',
          (error: { code: string; message: string }) => error.message,
        );
      const log = asService(database, (service) =>
        service.query(
          `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'wipe_use')`,
          [one.id, one.child],
        ),
      ).then(
        () => 'written',
        (error: { code: string }) => error.code,
      );
      const [old, kept] = [item(one.id), item(other.id)];
      expect(
        await Promise.race([old, kept, log, new Promise((resolve) => setTimeout(resolve, 400, 'all wait'))]),
      ).toBe('all wait');
      await session.query('commit');
      expect(await old).toContain('merged into');
      expect(await kept).toBe('written');
      expect(await log).not.toBe('written');
    });
    expect(whereabouts(await familyRows(database, [one.id]))).toEqual({});
  });
});

/** As a migration would make it: owned by families, row security with the owner's policy, captured, closed after merges. */
const proper = (table: string, direct: boolean, record = "'id'") => `
  alter table ${table} enable row level security; alter table ${table} force row level security;
  create policy owner_all on ${table} to current_user using (true) with check (true);
  select audit.attach('${table}', 'modification', family => 'family_id', record => ${record});
  ${direct ? `select private.cover_moves('${table}');` : ''}`;

describe('tables that come later', () => {
  const asOwner = (text: string) => withConnection(database.owner, (owner) => owner.query(text));

  test('move too: partitioned, in a cycle, pointing to themselves, with a generated column and a number of their own', async () => {
    await asOwner(`
      create table public.diaries (family_id uuid not null, id uuid not null default gen_random_uuid(), day date not null, child_id uuid not null,
        number bigint generated always as identity, primary key (family_id, id, day),
        foreign key (family_id, child_id) references public.children (family_id, id) on delete cascade) partition by range (day);
      create table public.diaries_old partition of public.diaries for values from (minvalue) to ('2026-01-01');
      create table public.diaries_new partition of public.diaries for values from ('2026-01-01') to (maxvalue);
      create table public.playlists (family_id uuid not null references public.families (id) on delete cascade, id uuid not null default gen_random_uuid(),
        name text not null, shout text generated always as (upper(name)) stored, favourite_id uuid, primary key (family_id, id));
      create table public.songs (family_id uuid not null, id uuid not null default gen_random_uuid(), playlist_id uuid not null, next_id uuid, primary key (family_id, id),
        foreign key (family_id, playlist_id) references public.playlists (family_id, id) on delete cascade,
        foreign key (family_id, next_id) references public.songs (family_id, id) on delete set null (next_id));
      alter table public.playlists add foreign key (family_id, favourite_id) references public.songs (family_id, id) on delete set null (favourite_id);
      ${proper('public.diaries', false, 'null')} ${proper('public.playlists', true)} ${proper('public.songs', false)}`);
    try {
      await asOwner(`
        insert into public.diaries (family_id, day, child_id) select '${one.id}', d, '${one.child}' from unnest('{2025-06-01,2026-06-01}'::date[]) d;
        insert into public.playlists (family_id, id, name) values ('${one.id}', '${one.child}', 'berceuses');
        insert into public.songs (family_id, playlist_id) select '${one.id}', '${one.child}' from generate_series(1, 3);
        update public.songs a set next_id = (select max(b.id::text)::uuid from public.songs b where b.id <> a.id);
        update public.playlists set favourite_id = (select max(id::text)::uuid from public.songs)`);
      const before = await familyRows(database, [one.id, other.id]);
      expect([...before.keys()].filter((key) => /^(diaries|songs|playlists)/.test(key)).length).toBe(6);
      const done = await mover([one.id, other.id], (session) => planAndMove(session, merge()));
      const after = await familyRows(database, [one.id, other.id]);
      expect(withoutFamily(after)).toEqual(withoutFamily(before));
      expect(new Set(Object.values(whereabouts(after)))).toEqual(new Set([other.id]));
      await mover([one.id, other.id], (session) => planAndMove(session, { kind: 'undo', undoes: done.move }));
      expect(whereabouts(await familyRows(database, [one.id, other.id]))).toEqual(whereabouts(before));
    } finally {
      await asOwner(`delete from audit.captured_tables where table_name in ('public.diaries'::regclass, 'public.playlists'::regclass, 'public.songs'::regclass);
        drop table public.diaries, public.playlists, public.songs cascade`);
    }
  });

  const FAMILY =
    'family_id uuid not null references public.families (id) on delete cascade, id uuid not null default gen_random_uuid(), primary key (family_id, id)';
  test.each([
    [
      'names a family, but no foreign key says so',
      'create table public.later (family_id uuid, note text)',
      'no foreign key that leads to families',
    ],
    [
      'points to a child without its family',
      'create unique index later_key on public.children (id); create table public.later (id uuid, child_id uuid references public.children (id))',
      'without its family',
    ],
    [
      'is not captured',
      `create table public.later (${FAMILY}); select private.cover_moves('public.later')`,
      'not captured',
    ],
    [
      'has its capture switched off',
      `create table public.later (${FAMILY}); ${proper('public.later', true)} alter table public.later disable trigger audit_delete`,
      'not captured',
    ],
    [
      'takes rows of merged families',
      `create table public.later (${FAMILY}); ${proper('public.later', false)}`,
      'private.cover_moves',
    ],
    [
      'hides rows from its owner',
      `create table public.later (${FAMILY}); ${proper('public.later', true)} drop policy owner_all on public.later`,
      'hides rows',
    ],
    [
      'has rows that no foreign key holds',
      `create table public.later (family_id uuid not null, id uuid not null, child_id uuid, primary key (family_id, id),
        foreign key (family_id, child_id) references public.children (family_id, id) on delete cascade); ${proper('public.later', false)}`,
      'no foreign key holds',
    ],
    [
      'excludes rows by an operator',
      `create table public.later (${FAMILY}, during tstzrange, exclude using gist (during with &&)); ${proper('public.later', true)}`,
      'exclusion constraint',
    ],
  ])('and one that %s makes every move refuse', async (_, ddl, why) => {
    await asOwner(ddl);
    try {
      await mover([one.id, other.id], async (session) => {
        const plan = await planMove(session, merge());
        expect(plan.refusals).toEqual([{ code: 'not_covered', message: expect.stringContaining(why) }]);
        await expect(makeMove(session, merge(), plan.hash)).rejects.toThrow(why);
      });
    } finally {
      await asOwner(
        `delete from audit.captured_tables where table_name = 'public.later'::regclass; drop table public.later; drop index if exists public.later_key`,
      );
    }
  });
});

test('ended at any moment by the server, all of it has happened or nothing', async () => {
  const random = seededRandom(testSeed());
  const ends = new Set<string>();
  for (let at = 0; at < 4; at += 1) {
    const [giving, taking] = await makeHouseholds(database, random, { logs: 300 });
    const before = await familyRows(database, [giving.id, taking.id]);
    const request = { kind: 'merge', from: giving.id, to: taking.id, conflicts: { '*': 'swap' } };
    await mover([giving.id, taking.id], async (session) => {
      const plan = await planMove(session, request);
      const { pid } = await session.one<{ pid: number }>('select pg_backend_pid() as pid');
      const move = makeMove(session, request, plan.hash).then(
        () => 'done',
        () => 'ended',
      );
      await new Promise((resolve) => setTimeout(resolve, random.between(0, 250)));
      await withConnection(database.superuser, (superuser) =>
        superuser.query('select pg_terminate_backend($1)', [pid]),
      );
      ends.add(await move);
    }).catch(() => undefined);
    const after = await familyRows(database, [giving.id, taking.id]);
    expect(withoutFamily(after)).toEqual(withoutFamily(before));
    const moved = giving.children.map((child) => after.get(`children ${child}`)?.family);
    expect(new Set(moved).size).toBe(1);
    const behind = [...after.values()].filter(
      ({ family, table }) => family === giving.id && table === 'usage_logs',
    );
    if (moved[0] === giving.id) expect(whereabouts(after)).toEqual(whereabouts(before));
    else expect(behind).toEqual([]);
  }
});
