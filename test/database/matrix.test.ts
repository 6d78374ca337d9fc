import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessMatrix, explainAccess, type Matrix } from '../../src/access/index.js';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { open } from '../support/model/sessions.js';

const WHY = { reason: 'Grandma cannot see the log', ticket: 'SUP-1234' };
const family = randomUUID();
const child = randomUUID();
const DAY_AGO = `now() - interval '40 days'`;

interface Member {
  readonly id: string;
  readonly email: string;
}

const person = (name: string): Member => ({ id: randomUUID(), email: `${name}@example.ca` });
const core = person('maman');
const gran = person('grand.maman');
const nurse = person('nurse');
const daycare = person('daycare');
const former = person('former');
const barred = person('barred');
const special = person('special');
const invited = person('invited');

let database: TestDatabase;
let session: Session;

const asOwner = (statement: string, values: unknown[] = []) =>
  withConnection(database.owner, (owner) => owner.query<Record<string, string>>(statement, values));

beforeAll(async () => {
  database = await createTestDatabase();
  for (const { id, email } of [core, gran, nurse, daycare, former, barred, special, invited])
    await asOwner('insert into public.users (id, email, status) values ($1, $2, $3)', [
      id,
      email,
      id === barred.id ? 'suspended' : 'active',
    ]);
  await asOwner(`insert into public.families (id, name) values ($1, 'Tremblay')`, [family]);
  await asOwner(
    `insert into public.family_members (family_id, user_id, role, status, access_expires_at, granted_permissions, denied_permissions, created_at)
     values ($1, $2, 'family_core', 'active', null, '{}', '{}', ${DAY_AGO}), ($1, $3, 'extended_family', 'active', null, '{}', '{}', ${DAY_AGO}),
       ($1, $4, 'professional', 'active', null, '{}', '{}', ${DAY_AGO}), ($1, $5, 'institutional', 'active', null, '{}', '{}', ${DAY_AGO}),
       ($1, $6, 'extended_family', 'active', now() - interval '1 day', '{}', '{}', ${DAY_AGO}), ($1, $7, 'family_core', 'active', null, '{}', '{}', ${DAY_AGO}),
       ($1, $8, 'professional', 'active', null, '{inventory:write}', '{usage:read}', ${DAY_AGO}), ($1, $9, 'extended_family', 'invited', null, '{}', '{}', ${DAY_AGO})`,
    [family, ...[core, gran, nurse, daycare, former, barred, special, invited].map(({ id }) => id)],
  );
  await asOwner(
    `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, 'Léa', '2025-02-03')`,
    [family, child],
  );
  for (const author of [core, gran, nurse, daycare, special])
    for (const at of ['now()', DAY_AGO])
      await asOwner(
        `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, created_by) values ($1, $2, 'diaper_change', ${at}, $3)`,
        [family, child, author.id],
      );
  for (const author of [core, gran])
    await asOwner(
      `insert into public.inventory_items (family_id, product_type, quantity_total, quantity_remaining, created_by) values ($1, 'wipes', 2, 1, $2)`,
      [family, author.id],
    );
  session = await openSession(await database.makeOperator('support'), {
    duty: 'support',
    request: randomUUID(),
  });
});
afterAll(async () => {
  await session?.close();
  await database?.drop();
});

const lettersOf = (matrix: Matrix, member: Member, table: string, which: 'cells' | 'planned' = 'cells') => {
  const line = matrix.lines.find((one) => one.user_id === member.id && one.table === table);
  const cells = line?.[which];
  return cells === null || cells === undefined
    ? undefined
    : [cells.select, cells.insert, cells.update, cells.delete].join(' ');
};

test('without a grant there is no matrix', async () => {
  const other = await openSession(await database.makeOperator('support'), {
    duty: 'support',
    request: randomUUID(),
  });
  await expect(accessMatrix(other, { family }, {})).rejects.toMatchObject({ code: 'no_grant' });
  await expect(other.query(`select ops.ask_about_family('${family}')`)).rejects.toMatchObject({
    code: 'no_grant',
  });
  await other.close();
});

test('says what the access table says of each role, and of members who are barred or have permissions of their own', async () => {
  const matrix = await accessMatrix(session, { family }, WHY);
  const row = (table: string) =>
    Object.fromEntries(
      Object.entries({ core, gran, nurse, daycare, former, barred, special, invited }).map(
        ([name, member]) => [name, lettersOf(matrix, member, table)],
      ),
    );
  const nothing = 'none none none none';
  const shut = { former: nothing, barred: nothing, invited: nothing };
  expect(row('usage_logs')).toEqual({
    core: 'all own all all',
    gran: 'all own own own',
    nurse: 'all own own none',
    daycare: 'today today_own today_own none',
    // What may not be read may not be changed either, where the change names a row.
    special: 'none own none none',
    ...shut,
  });
  expect(row('family_members')).toEqual({
    core: 'all self all all',
    gran: 'all none none none',
    nurse: 'self none none none',
    daycare: 'self none none none',
    special: 'self none none none',
    ...shut,
  });
  expect(row('inventory_items')).toEqual({
    core: 'all own all all',
    gran: 'all own all none',
    nurse: nothing,
    daycare: nothing,
    special: 'none own none none',
    ...shut,
  });
  expect(row('families')).toMatchObject({
    core: 'all own all none',
    gran: 'all own none none',
    barred: nothing,
  });
  expect(row('consent_records')).toMatchObject({
    core: 'self self self none',
    barred: 'self self self none',
  });
  expect(row('payment_methods')).toMatchObject({ core: 'self none none none' });
  expect(matrix.tables).toHaveLength(16);
  expect(JSON.stringify(matrix)).not.toContain('Léa');
});

describe('each cell', () => {
  const TABLES = ['usage_logs', 'inventory_items', 'family_members'] as const;

  test('is what explain says of every row there is', async () => {
    const matrix = await accessMatrix(session, { family }, WHY);
    let asked = 0;
    for (const table of TABLES) {
      const rows = await asOwner(
        `select id, ${table === 'family_members' ? 'user_id' : 'created_by'} as author, ${table === 'usage_logs' ? `logged_at > now() - interval '1 day'` : 'true'} as today
         from public.${table} where family_id = $1`,
        [family],
      );
      for (const member of [core, gran, nurse, daycare, former, special])
        for (const command of ['select', 'update', 'delete'] as const) {
          const cell = matrix.lines.find((one) => one.user_id === member.id && one.table === table)?.cells[
            command
          ];
          for (const row of rows.slice(0, 4)) {
            const { verdict } = await explainAccess(
              session,
              { user: member.id, table, command, row: row.id },
              {},
            );
            const own = row.author === member.id;
            const today = Boolean(row.today);
            const may = {
              all: true,
              own,
              self: own,
              today,
              today_own: today && own,
              none: false,
              some: undefined,
              unknown: undefined,
            }[cell ?? 'unknown'];
            expect(verdict, `${member.email} ${command} ${table} ${cell} ${JSON.stringify(row)}`).toBe(
              may ? 'allowed' : 'denied',
            );
            asked++;
          }
        }
    }
    expect(asked).toBeGreaterThan(150);
  });

  test('of select is what the member sees', async () => {
    const matrix = await accessMatrix(session, { family }, WHY);
    const app = await open(database.app);
    for (const member of [core, gran, nurse, daycare, former, barred, special, invited])
      for (const table of TABLES) {
        await app.query('begin');
        await app.query(
          `select set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)`,
          [JSON.stringify({ sub: member.id })],
        );
        const seen = Number((await app.query(`select count(*) from public.${table}`)).rows[0].count);
        await app.query('rollback');
        const cell = lettersOf(matrix, member, table)?.split(' ')[0];
        expect(seen > 0, `${member.email} ${table} ${cell} ${seen}`).toBe(cell !== 'none');
      }
    await app.end();
  });

  test('is unknown where a policy cannot be evaluated, and never guessed', async () => {
    await asOwner(
      `create policy broken on public.children for select to authenticated using (1 / (length(name) - length(name)) = 1)`,
    );
    const matrix = await accessMatrix(session, { family }, WHY).finally(() =>
      asOwner('drop policy broken on public.children'),
    );
    expect(lettersOf(matrix, nurse, 'children')).toBe('all none none none');
    expect(lettersOf(matrix, former, 'children')?.split(' ')[0]).toBe('unknown');
  });
});

describe('a planned role', () => {
  test('is shown as it then turns out, and changes nothing by itself', async () => {
    const state = () =>
      asOwner(`select (select string_agg(role || status, ',' order by user_id) from public.family_members) as members,
        (select count(*) from audit.events where table_name = 'public.family_members'::regclass::text) as events`);
    const before = await state();
    const planned = await accessMatrix(
      session,
      {
        family,
        compare: [
          { who: gran.email, role: 'professional' },
          { who: daycare.id, role: 'extended_family' },
        ],
      },
      WHY,
    );
    expect(await state()).toEqual(before);
    expect(lettersOf(planned, gran, 'inventory_items', 'cells')).toBe('all own all none');
    expect(lettersOf(planned, gran, 'inventory_items', 'planned')).toBe('none none none none');
    expect(lettersOf(planned, core, 'inventory_items', 'planned')).toBe('all own all all');

    const byName = (lines: readonly object[]) => lines.map((line) => JSON.stringify(line)).sort();
    await asOwner(
      `update public.family_members set role = case user_id when $1 then 'professional' else 'extended_family' end where user_id in ($1, $2)`,
      [gran.id, daycare.id],
    );
    const after = await accessMatrix(session, { family }, WHY);
    await asOwner(
      `update public.family_members set role = case user_id when $1 then 'extended_family' else 'institutional' end where user_id in ($1, $2)`,
      [gran.id, daycare.id],
    );
    expect(
      byName(planned.lines.map(({ planned: then, user_id, table }) => ({ user_id, table, cells: then }))),
    ).toEqual(byName(after.lines.map(({ cells, user_id, table }) => ({ user_id, table, cells }))));
  });

  test('must be a role, of a member', async () => {
    const plan = (who: string, role: string) =>
      accessMatrix(session, { family, compare: [{ who, role }] }, WHY);
    await expect(plan(gran.email, 'queen')).rejects.toMatchObject({ kind: 'usage' });
    await expect(plan('nobody@example.ca', 'professional')).rejects.toMatchObject({ kind: 'not_found' });
  });
});

test('the questions are on record, one a member, before anything is answered', async () => {
  const count = async () =>
    Number(
      (
        await asOwner(
          `select count(*) from ops.access_explanations where row_key ->> 'id' = $1 and table_name like '%families'`,
          [family],
        )
      )[0]?.count,
    );
  const before = await count();
  await accessMatrix(session, { family }, WHY);
  expect((await count()) - before).toBe(8);
  const answer = session.query(`select ops.explain_family($1, array[$2::uuid], '{}')`, [
    family,
    randomUUID(),
  ]);
  await expect(answer).rejects.toMatchObject({ code: 'no_grant' });
});
