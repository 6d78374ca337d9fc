import type pg from 'pg';
import { PERMISSION_NAMES, ROLES } from './model/access-table.js';
import type { Random } from './model/random.js';
import { attempt } from './model/sessions.js';
import type { World } from './model/world.js';

/** What the database said of one question, and when. */
export interface Said {
  readonly moment: Date;
  readonly person: string;
  readonly table: string;
  readonly command: 'select' | 'delete';
  readonly key: Readonly<Record<string, string>>;
  readonly allowed: boolean;
}

/** Tables that are asked about; the rest differ in nothing that matters here. */
const TABLES = [
  'usage_logs',
  'children',
  'family_members',
  'families',
  'users',
  'inventory_items',
  'family_invitations',
  'analytics_events',
  'consent_records',
  'notification_preferences',
] as const;

const quoted = (value: unknown) => (value === null ? 'null' : `'${String(value)}'`);
const list = (names: readonly string[]) => `'{${names.join(',')}}'`;

/** Statements that change what access rests on, those of one change together. */
export function randomChange(random: Random, world: World, now: number): string[] {
  const membership = random.pick(world.memberships);
  const member = `family_id = '${membership.family}' and user_id = '${membership.person}'`;
  const set = (what: string) => [`update public.family_members set ${what} where ${member}`];
  const row = (table: string) => random.pick(world.rows.filter((one) => one.table === table));
  switch (
    random.weighted({
      status: 5,
      expiry: 4,
      role: 3,
      permissions: 3,
      leave: 3,
      join: 3,
      user: 4,
      family: 3,
      roles: 3,
      log: 4,
      moved: 2,
    })
  ) {
    case 'status':
      return set(`status = '${random.pick(['active', 'active', 'suspended', 'removed', 'inactive'])}'`);
    case 'expiry':
      return set(
        `access_expires_at = ${random.pick([
          'null',
          quoted(new Date(now - 60_000).toISOString()),
          quoted(new Date(now + random.between(50, 2_000)).toISOString()),
        ])}`,
      );
    case 'role':
      return set(`role = '${random.pick(ROLES)}'`);
    case 'permissions':
      return set(
        `granted_permissions = ${list(random.some(PERMISSION_NAMES, random.between(0, 4)))}, denied_permissions = ${list(random.some(PERMISSION_NAMES, random.between(0, 2)))}`,
      );
    case 'leave':
      return [`delete from public.family_members where ${member}`];
    case 'join':
      return [
        `insert into public.family_members (family_id, user_id, role) values ('${random.pick(world.families).id}', '${random.pick(world.people).id}', '${random.pick(ROLES)}')`,
      ];
    case 'user':
      return [
        `update public.users set status = '${random.pick(['active', 'active', 'suspended', 'pending_deletion'])}' where id = '${membership.person}'`,
      ];
    case 'family':
      return [
        `update public.families set archived_at = ${random.pick(['null', 'null', 'clock_timestamp()'])} where id = '${membership.family}'`,
      ];
    case 'roles':
      return random.chance(0.5)
        ? [
            `update public.role_permissions set row_scope = '${random.pick(['all', 'own', 'today'])}' where role = '${membership.role}' and permission = 'usage:read'`,
          ]
        : [
            `delete from public.role_permissions where role = '${membership.role}' and permission = 'children:read'`,
            ...(random.chance(0.6)
              ? [
                  `insert into public.role_permissions (role, permission, row_scope) values ('${membership.role}', 'children:read', 'all')`,
                ]
              : []),
          ];
    case 'log': {
      const log = row('usage_logs');
      return random.chance(0.3)
        ? [`delete from public.usage_logs where id = '${log.key}'`]
        : [
            `update public.usage_logs set logged_at = clock_timestamp() - make_interval(hours => ${random.between(0, 40)}) where id = '${log.key}'`,
          ];
    }
    case 'moved': {
      const event = row('analytics_events');
      const to = random.pick(world.families).id;
      return [
        `with gone as (delete from public.analytics_events where id = '${event.key}' returning *)
         insert into public.analytics_events select (jsonb_populate_record(gone, '{"family_id": "${to}"}')).* from gone`,
      ];
    }
  }
}

/** Asks the database, as one person of the app, about one row; undefined where something beside the policies refused. */
export async function askNow(app: pg.Client, random: Random, world: World): Promise<Said | undefined> {
  const table = random.pick(TABLES);
  const row = random.pick(world.rows.filter((one) => one.table === table));
  const near = world.memberships.filter(({ family }) => family === row.family).map(({ person }) => person);
  const concerned = [...near, ...(row.person === undefined ? [] : [row.person])];
  const person =
    concerned.length > 0 && random.chance(0.85) ? random.pick(concerned) : random.pick(world.people).id;
  const command = random.chance(0.75) ? 'select' : 'delete';
  const key = { id: row.key };
  await app.query('begin');
  await app.query('set local role authenticated');
  await app.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify({ sub: person })]);
  const verb = command === 'select' ? 'select 1' : 'delete';
  const { outcomes, now } = await attempt(app, [`${verb} from public.${table} where id = '${row.key}'`]);
  await app.query('rollback');
  const { state, affected } = outcomes[0] ?? { state: 'none', affected: 0 };
  if (state !== 'ok' && state !== '42501') return undefined;
  // A Date has whole milliseconds: the next one, which the caller lets pass before it changes anything.
  return {
    moment: new Date(Math.ceil(now) + 1),
    person,
    table,
    command,
    key,
    allowed: state === 'ok' && affected > 0,
  };
}
