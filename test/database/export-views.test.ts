import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  type ExportReview,
  requestForChild,
  reviewExport,
  writeReviewSheet,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import { seededRandom, testScale, testSeed } from '../support/model/random.js';
import {
  answerRequest,
  asCompliance,
  openRequestForChild,
  openRequestOf,
  unzip,
} from '../support/packages.js';
import { plantPeople } from '../support/planted-people.js';

let database: TestDatabase;
let operator: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('compliance');
});
afterAll(() => database?.drop());

const superuser = <T>(work: (connection: Connection) => Promise<T>) =>
  withConnection(database.superuser, work);
const review = (person: string) =>
  asCompliance(operator, person, (session) => reviewExport(session, { kind: 'user', id: person }));

/** The tables that members read, and by which key a row of each is known. */
const KEYS: Readonly<Record<string, string>> = {
  users: 'id',
  families: 'id',
  family_members: 'family_id, id',
  family_invitations: 'family_id, id',
  children: 'family_id, id',
  emergency_profiles: 'family_id, id',
  inventory_items: 'family_id, id',
  usage_logs: 'family_id, id',
  reorder_suggestions: 'family_id, id',
  analytics_events: 'family_id, id',
  usage_analytics: 'family_id, id',
  consent_records: 'user_id, id',
  notification_preferences: 'user_id, id',
  notification_logs: 'user_id, id',
  payment_methods: 'user_id, id',
  subscriptions: 'user_id, id',
};

/** What the rule of PIPEDA comes to, written down once more: no word of the data map. $1 is the person. */
const KIN = `(select family_id from public.family_members where user_id = $1 and role in ('family_core', 'extended_family')
  and status in ('active', 'suspended') and coalesce(access_expires_at, 'infinity') > now())`;
const STANDS = `(select family_id, child_id from privacy.guardians where user_id = $1 and from_date <= current_date
  and coalesce(until_date, 'infinity') > current_date and not 'no_information' = any (limits))`;
const GIVEN: Readonly<Record<string, string>> = {
  users: 'id = $1',
  families: `id in ${KIN}`,
  family_members: 'user_id = $1',
  family_invitations: `family_id in ${KIN} or lower(email) = (select lower(email) from public.users where id = $1)`,
  children: `(family_id, id) in ${STANDS}`,
  emergency_profiles: `(family_id, child_id) in ${STANDS}`,
  inventory_items: `family_id in ${KIN} or (family_id, child_id) in ${STANDS}`,
  usage_logs: `(family_id, child_id) in ${STANDS}`,
  reorder_suggestions: `family_id in ${KIN} or (family_id, child_id) in ${STANDS}`,
  analytics_events: `family_id in ${KIN}`,
  usage_analytics: `(family_id, child_id) in ${STANDS}`,
};

interface Sets {
  readonly given: ReadonlySet<string>;
  readonly seen: ReadonlySet<string>;
}

/** Both sets of keys of a table: by the rule, as a superuser; and as the app shows it, signed in as that person. */
async function setsOf(person: string, tables = Object.keys(KEYS)): Promise<ReadonlyMap<string, Sets>> {
  const keys = async (connection: Connection, table: string, where: string, values: unknown[]) => {
    const rows = await connection.query<{ key: string }>(
      `select concat_ws('/', ${KEYS[table]}) as key from public.${table} where ${where}`,
      values,
    );
    return new Set(rows.map(({ key }) => key));
  };
  return await superuser((all) =>
    withConnection(database.app, async (app) => {
      await app.query(`select set_config('request.jwt.claims', $1, false)`, [
        JSON.stringify({ sub: person, role: 'authenticated' }),
      ]);
      await app.query('set role authenticated');
      const sets = new Map<string, Sets>();
      for (const table of tables)
        sets.set(table, {
          given: await keys(all, table, GIVEN[table] ?? 'user_id = $1', [person]),
          seen: await keys(app, table, 'true', []),
        });
      return sets;
    }),
  );
}

const without = (one: ReadonlySet<string>, other: ReadonlySet<string>) =>
  [...one].filter((key) => !other.has(key)).length;
const sum = (differences: readonly { readonly rows: number }[]) =>
  differences.reduce((total, { rows }) => total + rows, 0);
const viewsOf = ({ views }: ExportReview) => {
  if (views === null) throw new Error('there are no views');
  return views;
};
const tableOf = (one: ExportReview, table: string) => {
  const found = viewsOf(one).tables.find((each) => each.table === table);
  if (found === undefined) throw new Error(`nothing is said of ${table}`);
  return found;
};

async function expectSets(
  reviewed: ExportReview,
  person: string,
): Promise<{ unseen: number; beyond: number }> {
  const told = { unseen: 0, beyond: 0 };
  for (const [table, { given, seen }] of await setsOf(person)) {
    const of = tableOf(reviewed, `public.${table}`);
    const [unseen, beyond] = [without(given, seen), without(seen, given)];
    expect({ given: of.given, seen: of.seen, unseen: sum(of.unseen), beyond: sum(of.beyond) }, table).toEqual(
      { given: given.size, seen: seen.size, unseen, beyond },
    );
    expect(of.beyond.filter(({ why }) => why === 'unconnected')).toEqual([]);
    told.unseen += unseen;
    told.beyond += beyond;
  }
  return told;
}

describe('both views of what is held of a person', () => {
  it('differ by the rows that plain SQL finds, in random families, and add up to the package', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    const told = { unseen: 0, beyond: 0 };
    for (let world = 0; world < 5 * testScale(); world += 1) {
      const { subject, memberships } = await plantPeople(database, random);
      await superuser(async (connection) => {
        for (const { family } of memberships) {
          if (random.chance(0.15))
            await connection.query('update public.families set archived_at = now() where id = $1', [family]);
          if (random.chance(0.2))
            await connection.query(
              `update public.family_members set denied_permissions = '{inventory:read}' where family_id = $1 and user_id = $2`,
              [family, subject],
            );
        }
        if (random.chance(0.15))
          await connection.query(`update public.users set status = 'suspended' where id = $1`, [subject]);
      });
      const evidence = await newEvidence();
      const file = join(temporaryFolder(), 'package.zip');
      const { reviewed, created } = await asCompliance(operator, subject, async (session) => {
        const number = await openRequestOf(session, subject);
        const found = await reviewExport(session, { kind: 'user', id: subject });
        return { reviewed: found, created: await answerRequest(session, evidence, number, file) };
      });
      try {
        const here = await expectSets(reviewed, subject);
        told.unseen += here.unseen;
        told.beyond += here.beyond;
        const { both, unseen, not_in_app, unconnected } = viewsOf(reviewed);
        expect(unconnected).toBe(0);
        expect(both + unseen + not_in_app).toBe(created.rows);
        const manifest = JSON.parse((await unzip(file)).get('manifest.json') ?? '') as {
          tables: { table: string; rows: number }[];
        };
        const rows = new Map(manifest.tables.map((one) => [one.table, one.rows]));
        for (const { table, given, app } of viewsOf(reviewed).tables)
          if (app !== 'view') expect(given, table).toBe(rows.get(table) ?? 0);
        expect(
          [...rows.keys()].filter((table) => !viewsOf(reviewed).tables.some((one) => one.table === table)),
        ).toEqual([]);
      } catch (error) {
        throw new Error(`NESTCTL_TEST_SEED=${seed}, world ${world}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
    // Worlds in which nothing differs would prove nothing.
    expect(told.unseen).toBeGreaterThan(0);
    expect(told.beyond).toBeGreaterThan(0);
  }, 400_000);
});

/** A person with what is theirs alone: consents, messages, a subscription; and no family. */
async function makePerson(): Promise<string> {
  const id = randomUUID();
  await superuser(async (connection) => {
    await connection.query(`insert into public.users (id, email, status) values ($1, $2, 'active')`, [
      id,
      `p-${id}@example.ca`,
    ]);
    for (const statement of [
      `insert into public.consent_records (user_id, consent_type, consent_version, status, granted_at) values ($1, 'marketing', '1', 'granted', now())`,
      `insert into public.notification_logs (user_id, notification_type, channel, title, message) select $1, 'usage_reminder', 'push', 'Bonjour', 'Il est l’heure' from generate_series(1, 3)`,
      `insert into public.notification_preferences (user_id) values ($1)`,
    ])
      await connection.query(statement, [id]);
  });
  return id;
}

interface Joining {
  readonly role?: string;
  readonly status?: string;
  readonly archived?: boolean;
  readonly denied?: string;
  readonly until?: string;
}

/** A family with one other member, one child, two things in stock and a log, in which the person is as told; null: not at all. */
async function joinFamily(
  person: string,
  joining: Joining | null,
): Promise<{ family: string; child: string; other: string }> {
  const [family, child, other] = [randomUUID(), randomUUID(), randomUUID()];
  await superuser(async (connection) => {
    const run = (text: string, ...values: unknown[]) => connection.query(text, values);
    await run(
      `insert into public.users (id, email, status) values ($1, $2, 'active')`,
      other,
      `o-${other}@example.ca`,
    );
    await run(
      `insert into public.families (id, name, province, archived_at, created_at) values ($1, 'Roy', 'QC', $2, '2026-01-01')`,
      family,
      joining?.archived === true ? new Date() : null,
    );
    const member = `insert into public.family_members (family_id, user_id, role, status, denied_permissions, access_expires_at, created_at) values ($1, $2, $3, $4, $5, $6, '2026-01-01')`;
    await run(member, family, other, 'family_core', 'active', [], null);
    const { role = 'family_core', status = 'active', denied, until = null } = joining ?? {};
    if (joining !== null)
      await run(member, family, person, role, status, denied === undefined ? [] : [denied], until);
    await run(
      `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, 'Léa', '2025-02-28')`,
      family,
      child,
    );
    await run(
      `insert into public.inventory_items (family_id, child_id, product_type, quantity_total, quantity_remaining) select $1, $2, 'diaper', 80, 3 from generate_series(1, 2)`,
      family,
      child,
    );
    await run(
      `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'diaper_change')`,
      family,
      child,
    );
  });
  return { family, child, other };
}

const stands = ({ family, child }: { family: string; child: string }, person: string) =>
  superuser((connection) =>
    connection.query(
      `insert into privacy.guardians (family_id, child_id, user_id, basis, evidence, from_date, added_by) values ($1, $2, $3, 'parent', '{act_of_birth}', '2025-03-01', 'camille.roy')`,
      [family, child, person],
    ),
  );

describe('the reason of a difference', () => {
  it('is what bars the person from what they are given, family by family', async () => {
    const person = await makePerson();
    const extended = { role: 'extended_family' };
    const places = {
      membership_suspended: await joinFamily(person, { status: 'suspended' }),
      family_archived: await joinFamily(person, { ...extended, archived: true }),
      role: await joinFamily(person, { ...extended, denied: 'inventory:read' }),
      no_member: await joinFamily(person, null),
      membership_removed: await joinFamily(person, { status: 'removed' }),
      membership_expired: await joinFamily(person, { until: '2026-02-01T00:00:00Z' }),
    };
    for (const why of ['no_member', 'membership_removed', 'membership_expired'] as const)
      await stands(places[why], person);
    const reviewed = await review(person);
    await expectSets(reviewed, person);
    const { unseen } = tableOf(reviewed, 'public.inventory_items');
    expect(new Map(unseen.map(({ family, why, rows }) => [`${why} ${family}`, rows]))).toEqual(
      new Map(Object.entries(places).map(([why, { family }]) => [`${why} ${family}`, 2])),
    );
    // Of one's own account a suspended membership hides nothing.
    expect(tableOf(reviewed, 'public.consent_records')).toMatchObject({
      given: 1,
      seen: 1,
      unseen: [],
      beyond: [],
    });
    expect(tableOf(reviewed, 'public.notification_logs')).toMatchObject({ given: 3, seen: 3 });
    expect(tableOf(reviewed, 'audit.events').unseen.map(({ why }) => why)).toEqual(['not_in_app']);

    await superuser((connection) =>
      connection.query(`update public.users set status = 'suspended' where id = $1`, [person]),
    );
    const suspended = tableOf(await review(person), 'public.inventory_items').unseen;
    expect([...new Set(suspended.map(({ why }) => why))]).toEqual(['account_suspended']);
  });

  it('is whom a row is about that the person sees and is not given', async () => {
    const person = await makePerson();
    const home = await joinFamily(person, {});
    const work = await joinFamily(person, { role: 'professional' });
    const reviewed = await review(person);
    await expectSets(reviewed, person);
    const beyond = (table: string) => tableOf(reviewed, table).beyond;
    expect(beyond('public.children')).toEqual(
      expect.arrayContaining([
        { why: 'of_children', family: home.family, rows: 1 },
        { why: 'of_others', family: work.family, rows: 1 },
      ]),
    );
    // The other member of each household, whose row is theirs.
    expect(beyond('public.family_members')).toContainEqual({
      why: 'of_others',
      family: home.family,
      rows: 1,
    });
    // What a professional does not see either is no difference.
    expect(beyond('public.inventory_items')).toEqual([]);
    expect(tableOf(reviewed, 'public.member_profiles')).toMatchObject({
      app: 'view',
      beyond: [{ why: 'of_others' }],
    });
    expect(beyond('public.role_permissions').map(({ why }) => why)).toEqual(['about_nobody']);
    await stands(home, person);
    const now = tableOf(await review(person), 'public.children').beyond;
    expect(now.map(({ family }) => family)).toEqual([work.family]);
  });

  it('is a fault where row security shows rows that nothing connects with the person', async () => {
    const person = await makePerson();
    const others = await makePerson();
    const reviewed = await inBroken(
      'create policy everybody on public.notification_logs for select to authenticated using (true)',
      'drop policy everybody on public.notification_logs',
      async () => {
        const found = await review(person);
        await expectSetsOf('notification_logs', found, person);
        return found;
      },
    );
    const [all] = await superuser((connection) =>
      connection.query<{ rows: number }>(
        'select count(*)::float8 as rows from public.notification_logs where user_id <> $1',
        [person],
      ),
    );
    expect(others).not.toBe(person);
    expect(all?.rows).toBeGreaterThanOrEqual(3);
    expect(viewsOf(reviewed).unconnected).toBe(all?.rows);
    expect(tableOf(reviewed, 'public.notification_logs').beyond).toEqual([
      { why: 'unconnected', family: null, rows: all?.rows },
    ]);
  });
});

/** As the owner changes the schema, and back. */
async function inBroken<T>(change: string, back: string, work: () => Promise<T>): Promise<T> {
  await superuser((connection) => connection.query(change));
  try {
    return await work();
  } finally {
    await superuser((connection) => connection.query(back));
  }
}

async function expectSetsOf(table: string, reviewed: ExportReview, person: string): Promise<void> {
  const sets = (await setsOf(person, [table])).get(table);
  const of = tableOf(reviewed, `public.${table}`);
  expect([of.given, of.seen, sum(of.unseen), sum(of.beyond)]).toEqual([
    sets?.given.size,
    sets?.seen.size,
    without(sets?.given as ReadonlySet<string>, sets?.seen as ReadonlySet<string>),
    without(sets?.seen as ReadonlySet<string>, sets?.given as ReadonlySet<string>),
  ]);
}

describe('columns', () => {
  it('that the role of members may not read are given and unseen; those it may and that nobody is given, beyond', async () => {
    const person = await makePerson();
    const home = await joinFamily(person, {});
    await stands(home, person);
    const shown = await superuser((connection) =>
      connection.query<{ name: string }>(
        `select attname as name from pg_attribute where attrelid = 'public.children'::regclass and attnum > 0 and not attisdropped and attname not in ('allergies_notes', 'special_needs')`,
      ),
    );
    const reviewed = await inBroken(
      `revoke select on public.children from authenticated; grant select (${shown.map(({ name }) => name).join(', ')}) on public.children to authenticated`,
      `grant select on public.children to authenticated`,
      () => review(person),
    );
    const of = (table: string) => tableOf(reviewed, table).columns;
    expect(of('public.children').unseen).toEqual(['special_needs', 'allergies_notes']);
    expect(of('public.notification_preferences').beyond).toEqual([
      { column: 'device_tokens', why: 'whoever holds it can send to the device' },
    ]);
    expect(of('public.usage_logs').beyond).toContainEqual({
      column: 'caregiver_name',
      why: 'another person’s (PIPEDA s. 9(1))',
    });
    // What the role may read of them, told by the catalogue, and what the package has, by its plan.
    for (const { table, columns } of viewsOf(reviewed).tables.filter(
      ({ app, given, seen }) => app === 'rows' && given > 0 && (seen ?? 0) > 0,
    )) {
      const readable = await superuser((connection) =>
        connection.query<{ name: string }>(
          `select column_name as name from information_schema.role_column_grants where grantee in ('authenticated', 'PUBLIC') and privilege_type = 'SELECT' and table_schema || '.' || table_name = $1`,
          [table],
        ),
      );
      const exported = reviewed.tables.find((one) => one.table === table)?.columns ?? [];
      const names = new Set(readable.map(({ name }) => name));
      if (table === 'public.children') continue;
      expect(columns.unseen, table).toEqual(exported.filter((name) => !names.has(name)));
      expect(columns.beyond.map(({ column }) => column).sort(), table).toEqual(
        [...names].filter((name) => !exported.includes(name)).sort(),
      );
    }
  });

  it('that are a child’s in rows of a household are beyond where the person does not stand for that child', async () => {
    const person = await makePerson();
    const [one, other] = [await joinFamily(person, {}), await joinFamily(person, {})];
    await stands(one, person);
    const answer = (subject: string) =>
      `set session_replication_role = replica; update privacy.column_answers set subject = '${subject}' where table_name = 'public.inventory_items' and column_name = 'brand'; set session_replication_role = origin`;
    const reviewed = await inBroken(answer('child'), answer('household'), () => review(person));
    expect(tableOf(reviewed, 'public.inventory_items')).toMatchObject({
      given: 4,
      seen: 4,
      unseen: [],
      beyond: [],
      columns: { partly: [{ column: 'brand', rows: 2 }] },
    });
    expect(other.family).not.toBe(one.family);
  });
});

it('agree where the person sees all that they are given, but for what the app never shows', async () => {
  const person = await makePerson();
  const reviewed = await review(person);
  expect(await expectSets(reviewed, person)).toEqual({ unseen: 0, beyond: 0 });
  const { unseen, beyond, unconnected, both, not_in_app } = viewsOf(reviewed);
  expect({ unseen, beyond, unconnected, both }).toEqual({ unseen: 0, beyond: 0, unconnected: 0, both: 6 });
  expect(both + not_in_app).toBe(reviewed.rows);
});

it('a child has no account, and so one view', async () => {
  const guardian = await makePerson();
  const home = await joinFamily(guardian, {});
  await stands(home, guardian);
  const child = { family: home.family, id: home.child };
  const reviewed = await asCompliance(operator, { family: home.family }, async (session) => {
    await openRequestForChild(session, child, guardian);
    return await reviewExport(session, (await requestForChild(session, home.child)).subject);
  });
  expect([reviewed.views, reviewed.subject_kind, reviewed.rows > 0]).toEqual([null, 'child', true]);
  const page = join(temporaryFolder(), 'sheet.html');
  await writeReviewSheet({ ...reviewed, request: 'REQ-2026-0001' }, page, { language: 'fr', at: new Date() });
  expect(await readFile(page, 'utf8')).toContain('Un enfant n’a pas de compte');
});

describe('what the person sees is told', () => {
  const ask = `select ops.ask_why($1, 'public.users', jsonb_build_object('id', $1::uuid), 'select') as id`;
  const look = 'select table_name from privacy.package_views($1, $2)';

  it('to whoever has a grant for that very person and has asked before, in a transaction that only reads', async () => {
    const [person, other] = [await makePerson(), await makePerson()];
    await asCompliance(operator, person, async (session) => {
      const { id } = await session.one<{ id: string }>(ask, [person]);
      await expect(session.query(look, [person, id])).rejects.toMatchObject({ code: 'conflict' });
      const reading = (values: unknown[]) =>
        session.transaction(() => session.query(look, values), { readOnly: true });
      expect((await reading([person, id])).length).toBeGreaterThan(20);
      await expect(reading([other, id])).rejects.toMatchObject({ code: 'no_grant' });
      await expect(reading([person, randomUUID()])).rejects.toMatchObject({ code: 'no_grant' });
      const elsewhere = await session.one<{ id: string }>(
        `select ops.ask_why($1, 'public.children', null, 'select') as id`,
        [person],
      );
      await expect(reading([person, elsewhere.id])).rejects.toMatchObject({ code: 'conflict' });
      // Not before it is committed.
      await expect(
        session.transaction(async () => {
          const asked = await session.one<{ id: string }>(ask, [person]);
          await session.query(`select set_config('transaction_read_only', 'on', true)`);
          return await session.query(look, [person, asked.id]);
        }),
      ).rejects.toMatchObject({ code: 'no_grant' });
      // And what was evaluated leaves nobody behind who acts as the person.
      const left = await session.transaction(
        async () => {
          await session.query(look, [person, id]);
          return await session.one<{ left: string }>(
            `select concat(current_setting('nestsync.explaining', true), current_setting('request.jwt.claims', true)) as left`,
          );
        },
        { readOnly: true },
      );
      expect(left).toEqual({ left: '' });
    });
    await asCompliance(await database.makeOperator('compliance'), person, async (session) => {
      const [mine] = await superuser((connection) =>
        connection.query<{ id: string }>(
          `select id from ops.access_explanations where person = $1 and table_name = 'public.users' order by asked_at desc limit 1`,
          [person],
        ),
      );
      await expect(
        session.transaction(() => session.query(look, [person, mine?.id]), { readOnly: true }),
      ).rejects.toMatchObject({ code: 'no_grant' });
    });
  });

  it('under the duty compliance alone, and is on record', async () => {
    const person = await makePerson();
    const staff = await database.makeOperator('admin', 'support', 'auditor', 'sre');
    for (const duty of ['admin', 'support', 'auditor', 'sre'])
      await withConnection(staff, async (connection) => {
        await connection.query(`set role nestsync_${duty}`);
        await expect(connection.query(look, [person, randomUUID()]), duty).rejects.toMatchObject({
          kind: 'not_allowed',
        });
      });
    await review(person);
    const asked = await superuser((connection) =>
      connection.query(
        'select operator, duty, table_name, row_key from ops.access_explanations where person = $1',
        [person],
      ),
    );
    expect(asked).toEqual([
      { operator: operator.user, duty: 'compliance', table_name: 'public.users', row_key: { id: person } },
    ]);
  });
});

it('are a page too, without a value of a row, for its owner alone', async () => {
  const person = await makePerson();
  const home = await joinFamily(person, { status: 'suspended' });
  const reviewed = await review(person);
  const page = join(temporaryFolder(), 'sheet.html');
  for (const [language, title] of [
    ['en', 'Review of a package'],
    ['fr', 'Révision d’un dossier'],
  ] as const) {
    await writeReviewSheet({ ...reviewed, request: null }, page, { language, at: new Date() });
    const html = await readFile(page, 'utf8');
    expect(html).toContain(title);
    expect(html).toContain(home.family);
    for (const value of ['Bonjour', 'Léa', `p-${person}@example.ca`]) expect(html).not.toContain(value);
    expect(html).not.toMatch(/undefined|\[object|NaN/);
  }
  expect((await stat(page)).mode & 0o777).toBe(0o600);
});
