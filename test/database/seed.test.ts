import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SeedReport, seedFamilies } from '../../src/families/index.js';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const NOW = new Date('2026-11-20T17:00:00Z');
const LOCAL = { name: 'local', kind: 'local' } as const;

let database: TestDatabase;
let owner: Connection;
let target: ConnectionTarget;
let report: SeedReport;
let heard: number[];

const seed = (options: { families: number; days: number; seed?: number; signal?: AbortSignal }) =>
  seedFamilies({ target, now: NOW, seed: 1, ...options });
const count = async (sql: string, values: unknown[] = []) =>
  Number((await owner.one<{ count: string }>(`select count(*) as count from ${sql}`, values)).count);

beforeAll(async () => {
  database = await createTestDatabase();
  // The operator's user is of no matter: the work is the service login's.
  target = { ...database.service, context: LOCAL };
  owner = await connect(database.superuser);
  heard = [];
  report = await seedFamilies({
    target,
    now: NOW,
    seed: 1,
    families: 60,
    days: 20,
    request: 'the seed of this test',
    onProgress: ({ families }) => heard.push(families),
  });
});
afterAll(async () => {
  await owner.close();
  await database.drop();
});

describe('what is made', () => {
  it('reports what is there', async () => {
    expect(report).toMatchObject({ families: 60, days: 20, seed: 1, first: 1 });
    expect(await count('public.families')).toBe(60);
    for (const [table, rows] of Object.entries(report.rows)) {
      expect({ table, rows: await count(`public.${table}`) }).toEqual({ table, rows });
    }
    expect(heard.at(-1)).toBe(60);
  });

  it('fills every table that families and people own', async () => {
    const tables = await owner.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
         and relname <> 'role_permissions'`,
    );
    expect(Object.keys(report.rows).sort()).toEqual(tables.map(({ name }) => name).sort());
    for (const { name } of tables) expect({ name, rows: report.rows[name] }).not.toEqual({ name, rows: 0 });
  });

  it('lives in every province and territory, in its zone, with its postal codes and both languages', async () => {
    expect(await owner.query('select distinct province from public.families')).toHaveLength(13);
    expect(
      await count(`public.users where left(postal_code, 1) <> all (string_to_array(case province
        when 'NL' then 'A' when 'NS' then 'B' when 'PE' then 'C' when 'NB' then 'E' when 'QC' then 'G H J'
        when 'ON' then 'K L M N P' when 'MB' then 'R' when 'SK' then 'S' when 'AB' then 'T' when 'BC' then 'V'
        when 'YT' then 'Y' else 'X' end, ' '))`),
    ).toBe(0);
    expect(
      await owner.query(`select distinct timezone from public.families where province = 'NL' order by 1`),
    ).not.toHaveLength(0);
    for (const language of ['en', 'fr'])
      expect(await count('public.users where language = $1', [language])).toBeGreaterThan(30);
  });

  it('is plainly fictitious', async () => {
    expect(
      await count(`public.users where email !~ '@example\\.ca$' or phone_number !~ '-555-01[0-9]{2}$'`),
    ).toBe(0);
    expect(
      await count(
        `public.emergency_profiles where health_card_number !~ case health_card_province when 'QC' then '00$' else '000' end`,
      ),
    ).toBe(0);
  });

  it('has every role, kind of family, and state of membership and invitation', async () => {
    const distinct = async (column: string, table: string) =>
      (
        await owner.query<{ v: string }>(`select distinct ${column} as v from public.${table} order by 1`)
      ).map(({ v }) => v);
    expect(await distinct('role', 'family_members')).toEqual([
      'extended_family',
      'family_core',
      'institutional',
      'professional',
    ]);
    expect(await distinct('family_type', 'families')).toEqual(['institutional', 'personal', 'standard']);
    expect(await distinct('status', 'family_invitations')).toEqual([
      'accepted',
      'expired',
      'pending',
      'revoked',
    ]);
    const expiring = `public.family_members where status = 'active' and access_expires_at`;
    expect(await count(`${expiring} < $1`, [NOW])).toBeGreaterThan(0);
    expect(await count(`${expiring} between $1 and $1 + interval '14 days'`, [NOW])).toBeGreaterThan(0);
    expect(
      await count(`public.family_members m where not exists (
      select from public.family_members c where c.family_id = m.family_id and c.role = 'family_core' and c.status = 'active')`),
    ).toBe(0);
  });

  it('changes diapers by age and by a plausible day: six to nine a day, few at night', async () => {
    const [day] = await owner.query<{ least: number; most: number; night: number }>(
      `with daily as (
         select l.child_id, (l.logged_at at time zone f.timezone)::date as day, count(*) as changes,
           count(*) filter (where extract(hour from l.logged_at at time zone f.timezone) not between 6 and 22) as night
         from public.usage_logs l join public.families f on f.id = l.family_id
         where f.family_type <> 'institutional' and l.logged_at between $1::timestamptz - interval '18 days' and $1::timestamptz - interval '1 day'
         group by 1, 2),
       by_child as (
         select d.child_id, avg(changes) as average, sum(night) / sum(changes) as night from daily d
         join public.children c on c.id = d.child_id where c.date_of_birth < $1::timestamptz - interval '20 days' group by 1 having count(*) > 10)
       select min(average)::float8 as least, max(average)::float8 as most, avg(night)::float8 as night from by_child`,
      [NOW],
    );
    expect(day?.least).toBeGreaterThan(4.5);
    expect(day?.most).toBeLessThan(10.5);
    expect(day?.night).toBeGreaterThan(0.03);
    expect(day?.night).toBeLessThan(0.2);
  });

  it('ends now and counts the weeks as the logs do', async () => {
    expect(await count('public.usage_logs where logged_at > $1', [NOW])).toBe(0);
    expect(
      await count(`public.usage_logs where logged_at > $1::timestamptz - interval '12 hours'`, [NOW]),
    ).toBeGreaterThan(0);
    expect(
      await count(`(
        select family_id, child_id, period_start, change_count::bigint from public.usage_analytics
        except all
        select l.family_id, l.child_id, date_trunc('week', l.logged_at at time zone f.timezone)::date, count(*)
        from public.usage_logs l join public.families f on f.id = l.family_id group by 1, 2, 3) differing`),
    ).toBe(0);
  });

  it("taxes a subscription by its province's rules", async () => {
    const taxed = await owner.query<{ province: string; total: string }>(
      `select distinct province, (gst + pst + hst + qst)::text as total from public.subscriptions where amount = 19.99 order by 1`,
    );
    const known: Record<string, string> = {
      ON: '2.60',
      QC: '2.99',
      BC: '2.40',
      AB: '1.00',
      NS: '2.80',
      NB: '3.00',
      SK: '2.20',
      MB: '2.40',
    };
    for (const { province, total } of taxed)
      if (known[province]) expect({ province, total }).toEqual({ province, total: known[province] });
    expect(taxed.some(({ province }) => province in known)).toBe(true);
    expect(
      await count(
        `public.subscriptions where province = 'QC' and amount > 0 and (qst = 0 or gst = 0 or hst > 0)`,
      ),
    ).toBe(0);
  });

  it('leaves an audit event for each row, by the service login, with its reason', async () => {
    const total = Object.values(report.rows).reduce((sum, rows) => sum + rows, 0);
    expect(await count(`audit.events where request_id = 'the seed of this test'`)).toBe(total);
    expect(
      await count(`audit.events where request_id = 'the seed of this test' and operation = 'INSERT'
        and session_login = 'nestsync_service' and reason is not null`),
    ).toBe(total);
    const sample = '(select * from audit.events order by id desc limit 300) e';
    expect(await count(`${sample} where audit.leaf_of(e::audit.events) = leaf`)).toBe(300);
  });
});

describe('determinism', () => {
  const digest = async (connection: Connection, limit: number) =>
    connection.query(
      `select md5(string_agg(l::text, '|' order by l.family_id, l.logged_at, l.id)) as logs, count(*) as count
       from public.usage_logs l join public.families f on f.id = l.family_id
       where (f.settings #>> '{seed,number}')::integer <= $1 and f.settings #>> '{seed,seed}' = '1'`,
      [limit],
    );

  it('makes the same of the same seed, in one run or in two', async () => {
    const other = await createTestDatabase();
    const theirs = await connect(other.superuser);
    try {
      const same = { target: { ...other.service, context: LOCAL }, now: NOW, seed: 1, days: 20 };
      await seedFamilies({ ...same, families: 11 });
      const second = await seedFamilies({ ...same, families: 9 });
      expect(second.first).toBe(12);
      expect(await digest(theirs, 20)).toEqual(await digest(owner, 20));
    } finally {
      await theirs.close();
      await other.drop();
    }
  });

  it('adds families when run again, and never an address twice, whatever the seed', async () => {
    const before = await count('public.families');
    expect((await seed({ families: 5, days: 2 })).first).toBe(61);
    expect((await seed({ families: 5, days: 2, seed: 2 })).first).toBe(1);
    expect(await count('public.families')).toBe(before + 10);
    expect(await count('(select lower(email) from public.users group by 1 having count(*) > 1) twice')).toBe(
      0,
    );
  });

  it('goes on behind families that are gone while their people are still there', async () => {
    await seed({ families: 3, days: 1, seed: 3 });
    await owner.query(`delete from public.families where settings #>> '{seed,seed}' = '3'`);
    expect((await seed({ families: 1, days: 1, seed: 3 })).first).toBe(4);
  });
});

describe('what can go wrong', () => {
  it('refuses any context that is not local, before it writes', async () => {
    for (const context of [{ name: 'production', kind: 'server' } as const, undefined]) {
      await expect(
        seedFamilies({ target: { ...target, context }, families: 1, days: 1, seed: 9 }),
      ).rejects.toMatchObject({ kind: 'conflict', code: 'not_local', exitCode: 6 });
    }
    expect(await count(`public.families where settings #>> '{seed,seed}' = '9'`)).toBe(0);
  });

  it('interrupted, leaves whole families and can be run again', async () => {
    const controller = new AbortController();
    const days = 400;
    const run = seedFamilies({
      target,
      now: NOW,
      seed: 4,
      families: 40,
      days,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ kind: 'interrupted', exitCode: 130 });
    const mine = `public.families where settings #>> '{seed,seed}' = '4'`;
    const whole = await count(mine);
    expect(whole).toBeGreaterThan(0);
    expect(whole).toBeLessThan(40);
    expect(
      await count(`${mine} and not exists (select from public.usage_logs l where l.family_id = families.id)
      and exists (select from public.children c where c.family_id = families.id and current_diaper_size is not null)`),
    ).toBe(0);
    expect((await seed({ families: 1, days, seed: 4 })).first).toBe(whole + 1);
  });

  it('lets one run at a time', async () => {
    const [one, other] = await Promise.allSettled([
      seed({ families: 20, days: 60, seed: 5 }),
      seed({ families: 20, days: 60, seed: 5 }),
    ]);
    const outcomes = [one, other].map(({ status }) => status).sort();
    expect(outcomes).toEqual(['fulfilled', 'rejected']);
    const refused = [one, other].find((result) => result.status === 'rejected');
    expect(refused).toMatchObject({ reason: { code: 'seed_running', exitCode: 6 } });
  });
});
