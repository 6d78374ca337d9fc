import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Columns, compareStaff, readColumns } from '../support/model/compare-staff.js';
import { loadWorld } from '../support/model/load.js';
import { bySql, compareWeakened, inFunction, type Mutation } from '../support/model/mutate.js';
import { seededRandom } from '../support/model/random.js';
import { open, prepareAttempts } from '../support/model/sessions.js';
import { openGrant } from '../support/model/staff-sessions.js';
import type { Duty, Grant } from '../support/model/staff-table.js';
import type { World } from '../support/model/world.js';

// Whether a weakness is noticed must not depend on luck.
const SEED = 20_261_122;

let database: TestDatabase;
let superuser: pg.Client;
let world: World;
let columns: Columns;

beforeAll(async () => {
  database = await createTestDatabase();
  const owner = await open(database.owner);
  world = await loadWorld(owner, SEED, { people: 14, families: 5 });
  columns = await readColumns(owner);
  await owner.end();
  superuser = await open(database.superuser);
  await prepareAttempts(superuser);
});

afterAll(async () => {
  await superuser?.end();
  await database?.drop();
});

const policy = (name: string, table: string, clause: string) =>
  bySql(`alter policy ${name} on public.${table} ${clause}`);

const rebuilt = (signature: string, returns: string, body: string) =>
  bySql(`create or replace function private.${signature} returns ${returns}
    language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp return ${body}`);

type Kind = Grant['kind'];

const STAFF: readonly (readonly [string, Duty, Kind, Mutation])[] = [
  [
    'families without a grant',
    'support',
    'none',
    policy('families_staff_select', 'families', 'using (true)'),
  ],
  ['people without a grant', 'support', 'directory', policy('users_staff_select', 'users', 'using (true)')],
  [
    'grants of other operators',
    'support',
    'none',
    inFunction('private.live_grants()', /\(?g\.operator = \(?SESSION_USER\)?(::text)?\)? AND/i, ''),
  ],
  [
    'any grant as break-glass',
    'admin',
    'family',
    inFunction('private.break_glass()', /WHERE \(?g\.kind = 'break_glass'::text\)?/i, ''),
  ],
  [
    'a directory session as a key to everything',
    'support',
    'directory',
    rebuilt(
      'granted_families()',
      'uuid[]',
      `array(select f.id from public.families f where exists (select from private.live_grants()))`,
    ),
  ],
  [
    "a family grant as a subject's",
    'compliance',
    'family',
    rebuilt(
      'subject_families()',
      'uuid[]',
      `array(select g.family_id from private.live_grants() g where g.family_id is not null)`,
    ),
  ],
  [
    "a professional's own request as one for the children they looked after",
    'compliance',
    'subject',
    rebuilt(
      'subject_families()',
      'uuid[]',
      `array(select m.family_id from private.live_grants() g
         join public.family_members m on m.user_id = g.user_id and m.status <> 'removed' where g.kind = 'read')`,
    ),
  ],
  [
    'a column of health',
    'support',
    'family',
    bySql('grant select (allergies_notes) on public.children to nestsync_support'),
  ],
  [
    'a phone number',
    'compliance',
    'subject',
    bySql('grant select (phone_number) on public.users to nestsync_compliance'),
  ],
  [
    'emergency profiles for support',
    'support',
    'family',
    bySql(
      'grant select on public.emergency_profiles to nestsync_support',
      'create policy weak on public.emergency_profiles for select to nestsync_support using (family_id = any (private.granted_families()))',
    ),
  ],
  [
    'health within an ordinary grant',
    'admin',
    'family',
    inFunction('private.opens_private_columns(uuid, uuid)', 'private.break_glass()', 'true'),
  ],
  [
    'health of everybody for compliance',
    'compliance',
    'family',
    inFunction(
      'private.opens_private_columns(uuid, uuid)',
      /'compliance'::text THEN [\s\S]*? WHEN/i,
      `'compliance'::text THEN true WHEN`,
    ),
  ],
  [
    'rows written outside the scope',
    'admin',
    'family',
    policy('children_admin_write', 'children', 'with check (true)'),
  ],
  [
    'rows changed outside the scope',
    'admin',
    'family',
    policy('inventory_items_admin_write', 'inventory_items', 'using (true) with check (true)'),
  ],
  [
    'writing by compliance',
    'compliance',
    'subject',
    bySql(
      'grant update on public.families to nestsync_compliance',
      'create policy weak on public.families for update to nestsync_compliance using (id = any (private.granted_families()))',
    ),
  ],
  [
    'payment methods outside break-glass',
    'admin',
    'none',
    policy('payment_methods_break_glass_all', 'payment_methods', 'using (true)'),
  ],
  ['rows for an SRE', 'sre', 'none', bySql('grant select on public.usage_logs to nestsync_sre')],
  [
    'a view that the owner fills for everybody',
    'support',
    'none',
    bySql(
      'grant select on public.member_profiles to nestsync_support',
      'grant execute on function private.co_members() to nestsync_support',
    ),
  ],
  [
    'nothing where break-glass opens all',
    'admin',
    'break_glass',
    policy('consent_records_break_glass_all', 'consent_records', 'using (false) with check (false)'),
  ],
];

describe('the comparison for staff', () => {
  const logins = new Map<string, string>();

  const grantOf = (kind: Kind): Grant => {
    if (kind === 'family') return { kind, family: world.families[2]?.id ?? '' };
    if (kind !== 'subject') return { kind };
    const professional = world.memberships.find(
      ({ status, role }) => status === 'active' && role === 'professional',
    );
    return { kind, person: professional?.person ?? '' };
  };

  const compareAs = (duty: Duty, kind: Kind, login: string, mutation: Mutation) =>
    compareWeakened(superuser, mutation, login, (client) =>
      compareStaff(client, world, seededRandom(SEED), columns, duty, grantOf(kind)),
    );

  /** One operator for each duty and kind, with the grant opened, for whom nothing differs yet. */
  async function operator(duty: Duty, kind: Kind): Promise<string> {
    const key = `${duty} ${kind}`;
    const known = logins.get(key);
    if (known !== undefined) return known;
    const target = await database.makeOperator(duty);
    const client = await open(target);
    await openGrant(client, duty, grantOf(kind), 30);
    await client.end();
    logins.set(key, target.user);
    expect((await compareAs(duty, kind, target.user, bySql())).disagreements).toEqual([]);
    return target.user;
  }

  test.each(STAFF)('notices %s', async (_name, duty, kind, mutation) => {
    await operator('support', 'family');
    const login = await operator(duty, kind);
    const { disagreements } = await compareAs(duty, kind, login, mutation);
    expect(disagreements.length).toBeGreaterThan(0);
  });
});
