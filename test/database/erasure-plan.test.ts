import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  type ErasurePlan,
  placeHold,
  planErasure,
  planHold,
  planRelease,
  releaseHold,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { seededRandom, testScale, testSeed } from '../support/model/random.js';
import { asCompliance, openRequestOf } from '../support/packages.js';
import { plantPeople } from '../support/planted-people.js';
import { asService, makeFamily, makeGuardian } from '../support/small-world.js';

let database: TestDatabase;
let operator: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('compliance');
});
afterAll(() => database?.drop());

const superuser = <T>(work: (connection: Connection) => Promise<T>) =>
  withConnection(database.superuser, work);
const planOf = (person: string) =>
  asCompliance(operator, person, async (session) =>
    planErasure(session, await openRequestOf(session, person, { kind: 'deletion' })),
  );

/** Families that go with $1, written down once more: no word of the data map, and none of the functions. */
const GOING = `(select m.family_id from public.family_members m where m.user_id = $1
  and not exists (select from public.family_members o where o.family_id = m.family_id and o.user_id <> $1 and o.status <> 'removed')
  and not exists (select from privacy.guardians g where g.family_id = m.family_id and g.user_id is distinct from $1 and g.ended_at is null
    and coalesce(g.until_date, 'infinity') >= (now() at time zone 'UTC')::date))`;
const DECIDE = `(select m.family_id from public.family_members m where m.user_id = $1 and m.family_id not in ${GOING} and (
  not exists (select from public.family_members o where o.family_id = m.family_id and o.user_id <> $1 and o.status <> 'removed')
  or m.role = 'family_core' and m.status <> 'removed' and not exists (
    select from public.family_members o join public.users u on u.id = o.user_id where o.family_id = m.family_id and o.user_id <> $1
      and o.role = 'family_core' and o.status = 'active' and u.status = 'active')))`;
const FAMILY_TABLES = [
  ...['family_members', 'family_invitations', 'children', 'emergency_profiles', 'inventory_items'],
  ...['usage_logs', 'reorder_suggestions', 'analytics_events', 'usage_analytics'],
];
const SPELLED = `(select lower(x) from public.users u, unnest(array[u.display_name, u.first_name, u.first_name || ' ' || u.last_name]) x where u.id = $1)`;

interface Expected {
  readonly table: string;
  readonly rows_of: string;
  readonly does: string;
  readonly rows: number;
  readonly column?: string;
}

/** What an erasure of a person has to come to in the application's own tables. */
async function expected(connection: Connection, person: string): Promise<Expected[]> {
  const count = async (table: string, condition: string) =>
    (
      await connection.one<{ n: number }>(`select count(*)::int as n from ${table} where ${condition}`, [
        person,
      ])
    ).n;
  const found: Expected[] = [];
  const note = async (
    table: string,
    rows_of: string,
    does: string,
    condition: string,
    column?: string,
  ): Promise<void> => {
    const rows = await count(table, condition);
    if (rows > 0) found.push({ table, rows_of, does, rows, ...(column === undefined ? {} : { column }) });
  };
  await note('public.users', 'own', 'anonymize', 'id = $1');
  for (const table of ['notification_preferences', 'notification_logs', 'payment_methods'])
    await note(`public.${table}`, 'own', 'delete', 'user_id = $1');
  await note('public.subscriptions', 'own', 'anonymize', 'user_id = $1');
  await note('public.consent_records', 'own', 'keep', 'user_id = $1');
  await note('privacy.guardians', 'own', 'delete', 'user_id = $1');
  await note('privacy.guardians', 'gone', 'delete', `family_id in ${GOING} and user_id is distinct from $1`);
  await note('public.families', 'gone', 'delete', `id in ${GOING}`);
  await note('public.families', 'entered', 'sever', `created_by = $1 and id not in ${GOING}`, 'created_by');
  const mine: Readonly<Record<string, string>> = {
    family_members: 'user_id = $1',
    family_invitations: `lower(email) = (select lower(email) from public.users where id = $1)`,
  };
  for (const table of FAMILY_TABLES) {
    const own = mine[table] ?? 'false';
    if (own !== 'false') await note(`public.${table}`, 'own', 'delete', own);
    await note(`public.${table}`, 'gone', 'delete', `family_id in ${GOING} and not (${own})`);
    for (const column of ['created_by', 'invited_by', 'accepted_by']) {
      const { there } = await connection.one<{ there: boolean }>(
        `select exists (select from information_schema.columns where table_schema = 'public' and table_name = $1 and column_name = $2) as there`,
        [table, column],
      );
      if (there)
        await note(
          `public.${table}`,
          'entered',
          'sever',
          `${column} = $1 and family_id not in ${GOING} and not (${own})`,
          column,
        );
    }
  }
  const stay = `family_id in (select family_id from public.family_members where user_id = $1) and family_id not in ${GOING}`;
  await note(
    'public.usage_logs',
    'spelled',
    'anonymize',
    `${stay} and lower(caregiver_name) in ${SPELLED}`,
    'caregiver_name',
  );
  await note(
    'public.emergency_profiles',
    'spelled',
    'anonymize',
    `${stay} and lower(contact_name) in ${SPELLED}`,
    'contact_name',
  );
  return found;
}

const planned = ({ steps }: ErasurePlan): Expected[] =>
  steps
    .filter(({ table, does }) => /^public\.|^privacy\.guardians$/.test(table) && does !== 'stay')
    .map(({ table, rows_of, does = '', rows = 0, columns = [] }) => ({
      ...{ table, rows_of, does, rows },
      ...(rows_of === 'entered' || rows_of === 'spelled' ? { column: columns.join() } : {}),
    }));
const sorted = (list: readonly Expected[]) => list.map((one) => JSON.stringify(one)).sort();

const seed = testSeed();
test(`random families: what happens to each table is what the rule says, NESTCTL_TEST_SEED=${seed}`, async () => {
  const random = seededRandom(seed);
  const fates = new Set<string>();
  for (let world = 0; world < 12 * testScale(); world += 1) {
    const { people, memberships, subject } = await plantPeople(database, random);
    // Alone in some, the last core member in others: as no family with children comes to be by itself.
    await withConnection(
      database.superuser,
      async (connection) => {
        const emptied = new Map(memberships.map(({ family }) => [family, random.chance(0.3)]));
        for (const { family, person } of memberships)
          if (person !== subject && (emptied.get(family) === true || random.chance(0.4)))
            await connection.query(
              `update public.family_members set status = 'removed' where family_id = $1 and user_id = $2`,
              [family, person],
            );
        if (random.chance(0.6))
          await connection.query(
            'update privacy.guardians set ended_at = now(), ended_on = from_date, end_ground = $1, ended_by = $2 where ended_at is null',
            ['resigned', 'camille.roy'],
          );
        await connection.query(
          `update public.usage_logs l set caregiver_name = upper(u.display_name) from public.users u where u.id = $1 and l.family_id = $2`,
          [subject, memberships[0]?.family],
        );
        await connection.query(
          `update public.emergency_profiles p set contact_name = u.first_name || ' ' || u.last_name from public.users u where u.id = $1 and p.family_id = $2`,
          [subject, memberships[0]?.family],
        );
      },
      { settings: { session_replication_role: 'replica' } },
    );
    for (const person of [subject, random.pick(people)]) {
      if (person !== subject && memberships.every((one) => one.person !== person)) continue;
      const already = await superuser((connection) =>
        connection.query(`select from privacy.requests where user_id = $1 and kind = 'deletion'`, [person]),
      );
      if (already.length > 0) continue;
      const plan = await planOf(person);
      const [steps, decide, going] = await superuser(async (connection) => [
        await expected(connection, person),
        await connection.query<{ family_id: string }>(`select * from ${DECIDE} d order by 1`, [person]),
        await connection.query<{ family_id: string }>(`select * from ${GOING} g order by 1`, [person]),
      ]);
      expect(sorted(planned(plan)), `world ${world}`).toEqual(sorted(steps));
      const of = (fate: string) =>
        plan.families.filter((one) => one.fate === fate).map(({ family_id }) => family_id);
      expect([of('decide'), of('goes')], `world ${world}`).toEqual([
        decide.map(({ family_id }) => family_id),
        going.map(({ family_id }) => family_id),
      ]);
      for (const { fate, why } of plan.families) fates.add(`${fate} ${why}`);
      expect(plan.gates.map(({ gate }) => gate)).toEqual(decide.map(() => 'family'));
    }
  }
  expect(fates.size).toBeGreaterThanOrEqual(3);
});

describe('what stands against it', () => {
  const gates = async (session: Session, number: string) =>
    (await planErasure(session, number)).gates.map(({ gate, next }) => [gate, next]);

  test('an identity that nobody verified, a hold, an access request, and an end', async () => {
    const family = await makeFamily(database, { name: 'Tremblay' });
    await asCompliance(operator, family.gran.id, async (session) => {
      const number = await openRequestOf(session, family.gran.id, { kind: 'deletion', verified: false });
      expect(await gates(session, number)).toEqual([
        ['identity', `nestctl request verify-identity ${number}`],
      ]);
      const hold = await placeHold(
        session,
        await planHold(session, {
          subject: { kind: 'family', id: family.id },
          basis: 'litigation',
          matter: 'garde',
        }),
      );
      const access = await openRequestOf(session, family.gran.id);
      expect((await gates(session, number)).slice(1)).toEqual([
        ['hold', `nestctl hold show ${hold.number}`],
        ['hold', `nestctl request show ${access}`],
      ]);
      await releaseHold(session, await planRelease(session, hold.number));
    });
  });

  test('the last core member of a family with others; alone with a child for whom somebody else stands', async () => {
    const family = await makeFamily(database, { name: 'Gagnon' });
    await asCompliance(operator, family.core.id, async (session) => {
      const number = await openRequestOf(session, family.core.id, { kind: 'deletion' });
      const fate = async () => {
        const { families, gates: found } = await planErasure(session, number);
        return [families.map((one) => `${one.fate} ${one.why}`), found.map(({ next }) => next)];
      };
      expect(await fate()).toEqual([['decide last_core'], [`nestctl member transfer --family ${family.id}`]]);
      await makeGuardian(database, { family: family.id, id: family.child }, family.gran.id);
      await superuser((connection) =>
        connection.query(`update public.family_members set status = 'removed' where user_id = $1`, [
          family.gran.id,
        ]),
      );
      expect(await fate()).toEqual([
        ['decide another_guardian'],
        [`nestctl guardian list --family ${family.id}`],
      ]);
      await superuser((connection) =>
        connection.query(
          `update privacy.guardians set ended_at = now(), ended_on = current_date, end_ground = 'resigned', ended_by = 'camille.roy' where family_id = $1`,
          [family.id],
        ),
      );
      expect(await fate()).toEqual([['goes alone'], []]);
    });
  });

  test('a table that could not be read', async () => {
    const family = await makeFamily(database, { name: 'Roy' });
    await superuser((connection) =>
      connection.query('create table auth.identities (id uuid primary key, user_id uuid)'),
    );
    try {
      const { gates: found } = await planOf(family.gran.id);
      expect(found).toEqual([
        {
          gate: 'unread',
          why: 'auth.identities: the owner of the schema may not read it',
          next: 'nestctl doctor',
        },
      ]);
    } finally {
      await superuser((connection) => connection.query('drop table auth.identities'));
    }
  });
});

test('the hash is of the catalogue, the map and the counts: any drift of them changes it, the work of staff does not', async () => {
  const [family, other] = [
    await makeFamily(database, { name: 'Tremblay' }),
    await makeFamily(database, { name: 'Roy' }),
  ];
  await makeGuardian(database, { family: family.id, id: family.child }, family.core.id);
  await asCompliance(operator, family.gran.id, async (session) => {
    const number = await openRequestOf(session, family.gran.id, { kind: 'deletion' });
    const { hash } = await planErasure(session, number);
    const again = async () => (await planErasure(session, number)).hash;
    await session.query(`select ops.open_access('read', 'another reason', 'DSR-2', 60, null, $1)`, [
      family.gran.id,
    ]);
    await asService(database, (service) =>
      service.query(
        `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'diaper_change'), ($3, $4, 'diaper_change')`,
        [other.id, other.child, family.id, family.child],
      ),
    );
    expect(await again()).toBe(hash);

    const drifts: readonly (readonly [change: string, back: string])[] = [
      [
        'alter table public.usage_logs add column mood text',
        'alter table public.usage_logs drop column mood',
      ],
      [
        `alter table public.users alter column language set default 'fr'`,
        `alter table public.users alter column language set default 'en'`,
      ],
      [
        `create trigger zz before delete on public.payment_methods for each row execute function private.refuse_delete()`,
        'drop trigger zz on public.payment_methods',
      ],
      [
        'alter table public.payment_methods disable trigger audit_delete',
        'alter table public.payment_methods enable trigger audit_delete',
      ],
      ['grant select on public.payment_methods to anon', 'revoke select on public.payment_methods from anon'],
      [
        'create policy zz on public.children for select to anon using (true)',
        'drop policy zz on public.children',
      ],
      ['create table public.moods (user_id uuid)', 'drop table public.moods'],
      [
        `insert into public.notification_logs (user_id, notification_type, channel, title, message) values ('${family.gran.id}', 'usage_reminder', 'push', 'a', 'b')`,
        `delete from public.notification_logs where user_id = '${family.gran.id}'`,
      ],
      [
        `update public.family_members set status = 'suspended' where user_id = '${family.gran.id}'`,
        `update public.family_members set status = 'active' where user_id = '${family.gran.id}'`,
      ],
    ];
    for (const [change, back] of drifts) {
      await superuser((connection) => connection.query(change));
      const drifted = await session
        .one<{ hash: string }>(`select privacy.plan_erasure($1) ->> 'hash' as hash`, [number])
        .finally(() => superuser((connection) => connection.query(back)));
      expect(drifted.hash, change).not.toBe(hash);
    }
    expect(await again()).toBe(hash);
    // What the map does not answer for is planned by nobody.
    await superuser((connection) => connection.query('create table public.moods (user_id uuid)'));
    await expect(planErasure(session, number)).rejects.toMatchObject({ code: 'map_incomplete' });
    await superuser((connection) => connection.query('drop table public.moods'));
  });
});

test('it is the business of compliance with a grant for the person, and of a request for deletion', async () => {
  const family = await makeFamily(database, { name: 'Tremblay' });
  const [deletion, access] = await asCompliance(operator, family.gran.id, async (session) => [
    await openRequestOf(session, family.gran.id, { kind: 'deletion' }),
    await openRequestOf(session, family.gran.id),
  ]);
  const hers = await asCompliance(operator, family.core.id, (session) =>
    openRequestOf(session, family.core.id, { kind: 'deletion' }),
  );
  const stranger = await database.makeOperator('compliance');
  await asCompliance(stranger, family.core.id, async (session) => {
    await expect(planErasure(session, deletion)).rejects.toMatchObject({ code: 'no_grant' });
    expect((await planErasure(session, hers)).person).toBe(family.core.id);
  });
  await asCompliance(operator, family.gran.id, async (session) => {
    await expect(session.query('select privacy.plan_erasure($1)', [access])).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(planErasure(session, 'REQ-1999-0001')).rejects.toMatchObject({ code: 'not_found' });
  });
});
