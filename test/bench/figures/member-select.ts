import { seedFamilies } from '../../../src/families/index.js';
import { type Connection, connect, withConnection } from '../../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../../src/platform/database/target.js';
import type { TestDatabase } from '../../support/database.js';
import { withDatabase } from '../support/databases.js';
import type { Bench, Figure, Finding } from '../support/figure.js';
import { interleaved, median, ratio, timed } from '../support/measure.js';

interface Reading {
  readonly name: string;
  readonly permission: string;
  readonly columns: string;
  readonly table: string;
  /** With $1 the family and $2 the child. */
  readonly where: string;
  readonly tail: string;
}

const READINGS: readonly Reading[] = [
  {
    name: 'the last 50 logs of a family',
    permission: 'usage:read',
    columns: 'id, child_id, usage_type, logged_at, caregiver_name, was_wet, was_soiled, notes',
    table: 'usage_logs',
    where: 't.family_id = $1 and $2::uuid is not null',
    tail: 'order by t.logged_at desc limit 50',
  },
  {
    name: "a child's week",
    permission: 'usage:read',
    columns: 'id, usage_type, logged_at, context, was_wet, was_soiled',
    table: 'usage_logs',
    where: `t.family_id = $1 and t.child_id = $2 and t.logged_at > now() - interval '7 days'`,
    tail: 'order by t.logged_at desc',
  },
  {
    name: 'the inventory of a family',
    permission: 'inventory:read',
    columns: 'id, product_type, brand, size, quantity_remaining, quantity_total',
    table: 'inventory_items',
    where: 't.family_id = $1 and $2::uuid is not null and t.deleted_at is null',
    tail: 'order by t.product_type, t.size',
  },
];

/** Everything the policies ask, written as the join that an application without RLS would send. */
function handWritten({ columns, table, where, tail, permission }: Reading): string {
  const list = columns.split(', ').map((column) => `t.${column}`);
  return `select ${list.join(', ')}
    from public.${table} t
      join public.family_members m on m.family_id = t.family_id and m.user_id = $3
      join public.users u on u.id = m.user_id
      join public.families f on f.id = m.family_id
      left join public.role_permissions r on r.role = m.role and r.permission = '${permission}'
    where ${where}
      and m.status = 'active' and (m.access_expires_at is null or m.access_expires_at > clock_timestamp())
      and u.status not in ('suspended', 'pending_deletion')
      and (f.archived_at is null or m.role = 'family_core')
      and not '${permission}' = any (m.denied_permissions)
      and ('${permission}' = any (m.granted_permissions) or r.row_scope = 'all')
    ${tail}`;
}

function underPolicies({ columns, table, where, tail }: Reading): string {
  return `select ${columns
    .split(', ')
    .map((column) => `t.${column}`)
    .join(', ')} from public.${table} t where ${where} ${tail}`;
}

export const memberSelect: Figure = {
  title: "A member's select under Row Level Security",
  measure: (bench) =>
    withDatabase(bench, async (database) => {
      const [families, days] = bench.quick ? [60, 20] : [400, 90];
      bench.say(`seeding ${families} families with ${days} days`);
      const target: ConnectionTarget = { ...database.service, context: { name: 'bench', kind: 'local' } };
      await seedFamilies({ target, families, days, seed: 1 });
      await withConnection(database.superuser, (connection) => connection.query('vacuum analyze'));
      const members = await someMembers(database);
      const app = await connect(database.app, { settings: { role: 'authenticated' } });
      const service = await connect(database.service, { settings: { role: 'service_role' } });
      try {
        const findings: Finding[] = [];
        for (const reading of READINGS)
          findings.push(await compare(bench, reading, members, { app, service }));
        return { findings, notes: NOTES };
      } finally {
        await app.close();
        await service.close();
      }
    }),
};

const NOTES = [
  'Rates over one connection each with prepared statements, round trips included: the member through the app login, the join through the service login. Another member of another family each time; telling the session which is not counted.',
  'The join asks all that the policies ask: membership, its status and expiry, the person, the family, the role, granted and denied permissions. Both sides return the same rows, which is checked.',
];

interface Member {
  readonly family_id: string;
  readonly child_id: string;
  readonly user_id: string;
}

/** One parent each of some families. */
async function someMembers(database: TestDatabase): Promise<Member[]> {
  return await withConnection(database.superuser, (connection) =>
    connection.query<Member>(
      `select distinct on (m.family_id) m.family_id, m.user_id, l.child_id
       from public.family_members m join public.families f on f.id = m.family_id
         join public.users u on u.id = m.user_id
         cross join lateral (select child_id from public.usage_logs l where l.family_id = m.family_id order by logged_at desc limit 1) l
       where m.role = 'family_core' and m.status = 'active' and u.status = 'active' and f.archived_at is null
         and f.family_type <> 'institutional'
       order by m.family_id limit 24`,
    ),
  );
}

interface Connections {
  readonly app: Connection;
  readonly service: Connection;
}

/** What must be the same: of rows with equal times, either side may give either order. */
function identity(rows: readonly { readonly id: string; readonly logged_at?: Date }[]): string {
  return rows
    .map(({ id, logged_at: at }) => at?.toISOString() ?? id)
    .sort()
    .join();
}

async function compare(
  bench: Bench,
  reading: Reading,
  members: readonly Member[],
  { app, service }: Connections,
): Promise<Finding> {
  const { name } = reading;
  const [policies, join] = [underPolicies(reading), handWritten(reading)];
  const become = ({ user_id: sub }: Member) =>
    app.query(`select set_config('request.jwt.claims', $1, false)`, [JSON.stringify({ sub })]);
  const asMember = ({ family_id, child_id }: Member) =>
    app.client.query({ name, text: policies, values: [family_id, child_id] });
  const byJoin = ({ family_id, child_id, user_id }: Member) =>
    service.client.query({ name, text: join, values: [family_id, child_id, user_id] });

  let rows = 0;
  for (const member of members) {
    await become(member);
    const [mine, theirs] = [(await asMember(member)).rows, (await byJoin(member)).rows];
    if (mine.length === 0 || identity(mine) !== identity(theirs)) {
      throw new Error(`${name}: the join gives other rows than the policies`);
    }
    rows += mine.length / members.length;
  }

  const calls = bench.quick ? 100 : 300;
  const rate =
    (prepare: (member: Member) => Promise<unknown>, read: (member: Member) => Promise<unknown>) =>
    async () => {
      let taken = 0;
      for (let call = 0; call < calls; call++) {
        const member = members[call % members.length] as Member;
        await prepare(member);
        taken += await timed(() => read(member));
      }
      return (calls / taken) * 1000;
    };
  const idle = (_: Member) => service.query('select 1');
  const rates = await interleaved(bench.quick ? 6 : 20, {
    rls: rate(become, asMember),
    join: rate(idle, byJoin),
  });
  return {
    claim: `rate of ${name} under RLS over the hand-written join`,
    ratio: ratio(rates.rls, rates.join),
    limit: { atLeast: 0.8 },
    behind: `${Math.round(median(rates.rls))} over ${Math.round(median(rates.join))} a second, ${Math.round(rows)} rows`,
  };
}
