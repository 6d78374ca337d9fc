import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, connect, withConnection } from '../../../src/platform/database/connection.js';
import type { TestDatabase } from '../../support/database.js';
import { withDatabase } from '../support/databases.js';
import type { Bench, Figure, Finding, Report } from '../support/figure.js';
import { interleaved, median, ms, ratio, timed } from '../support/measure.js';

const CHECKOUT = 'NESTCTL_BENCH_SUPA_AUDIT';
const VERSION = 'supa_audit--0.3.1.sql';
const FAMILY = '00000000-0000-4000-8000-000000000001';
const CHILD = '00000000-0000-4000-8000-000000000002';

export const auditedInserts: Figure = {
  title: 'Audited inserts',
  measure: async (bench) => {
    const supa = await supaAudit();
    return await withDatabase(bench, (ours) =>
      withDatabase(bench, (none) =>
        withDatabase(bench, async (other) => {
          for (const database of [ours, none, other]) await prepare(database);
          await withoutAudit(none);
          await withoutAudit(other);
          if (supa !== undefined) await withSupaAudit(other, supa);
          return await measure(bench, { ours, none, other: supa === undefined ? undefined : other });
        }),
      ),
    );
  },
};

/** The SQL of the checkout, fit to be run outside CREATE EXTENSION; undefined where there is none. */
async function supaAudit(): Promise<string | undefined> {
  const folder = process.env[CHECKOUT];
  if (folder === undefined || !existsSync(join(folder, VERSION))) return undefined;
  const lines = (await readFile(join(folder, VERSION), 'utf8')).split('\n');
  return lines
    .filter((line) => !line.startsWith('\\') && !line.includes('pg_extension_config_dump'))
    .join('\n');
}

async function prepare(database: TestDatabase): Promise<void> {
  await withConnection(database.superuser, async (connection) => {
    await connection.query(`insert into public.families (id, name) values ('${FAMILY}', 'Tremblay')`);
    await connection.query(
      `insert into public.children (family_id, id, name, date_of_birth) values ('${FAMILY}', '${CHILD}', 'Léa', '2026-01-01')`,
    );
  });
}

async function withoutAudit({ superuser }: TestDatabase): Promise<void> {
  await withConnection(superuser, async (connection) => {
    for (const name of ['audit_insert', 'audit_update', 'audit_delete']) {
      await connection.query(`drop trigger ${name} on public.usage_logs`);
    }
    // supa_audit wants the schema's name.
    await connection.query('alter schema audit rename to nestsync_audit');
  });
}

async function withSupaAudit({ superuser }: TestDatabase, text: string): Promise<void> {
  await withConnection(superuser, async (connection) => {
    await connection.query('create extension "uuid-ossp" schema public');
    await connection.query(text);
    await connection.query(`select audit.enable_tracking('public.usage_logs')`);
  });
}

const VALUES = `'diaper_change', now() - make_interval(secs => $1::integer), 1, 'home', 'Amélie Tremblay', true, false, false,
  null::smallint, interval '2 hours 40 minutes', null::text, null::text, '00000000-0000-4000-8000-000000000003'::uuid`;
const INSERT = `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, quantity_used, context, caregiver_name, was_wet,
  was_soiled, had_leakage, product_rating, time_since_last_change, notes, health_notes, created_by)`;

interface Arms {
  readonly ours: TestDatabase;
  readonly none: TestDatabase;
  readonly other: TestDatabase | undefined;
}

async function measure(bench: Bench, { ours, none, other }: Arms): Promise<Report> {
  const open = (database: TestDatabase) => connect(database.service, { settings: { role: 'service_role' } });
  const connections = { ours: await open(ours), none: await open(none), other: await open(other ?? none) };
  try {
    const single = await inserts(bench.quick ? 6 : 24, connections, singles(bench.quick ? 100 : 500));
    const trips = await inserts(bench.quick ? 3 : 12, connections, roundTrips(bench.quick ? 50 : 300));
    const rows = bench.quick ? 5_000 : 100_000;
    const bulk = await inserts(bench.quick ? 3 : 7, connections, bulks(rows));
    const events = await withConnection(ours.superuser, (connection) =>
      connection.one<{ count: number }>(
        `select count(*)::int as count from audit.events where table_name = 'public.usage_logs'`,
      ),
    );
    const logs = await withConnection(ours.superuser, (connection) =>
      connection.one<{ count: number }>('select count(*)::int as count from public.usage_logs'),
    );
    if (events.count !== logs.count) throw new Error(`${logs.count} rows gave ${events.count} events`);

    const each = (values: readonly number[]) => `${Math.round(1000 / median(values))} a second`;
    const findings: Finding[] = [
      {
        claim: 'single-row insert rate over none',
        ratio: ratio(single.none, single.ours),
        limit: { atLeast: 0.5 },
        behind: `${each(single.ours)} over ${each(single.none)}`,
      },
    ];
    const overWire = `With a round trip for each row, ${each(trips.ours)}, ${each(trips.none)} without audit${other === undefined ? '' : `, ${each(trips.other)} with supa_audit`}.`;
    const bulkNone = `Bulk insert of ${rows.toLocaleString('en-CA')} rows takes ${ratio(bulk.ours, bulk.none).toFixed(2)} × that of none (${ms(bulk.ours)} over ${ms(bulk.none)}).`;
    if (other === undefined) {
      return {
        findings,
        notes: [
          `No comparison with supa_audit: ${CHECKOUT} does not name a checkout with ${VERSION}.`,
          bulkNone,
        ],
      };
    }
    findings.push(
      {
        claim: 'single-row insert rate over supa_audit 0.3.1',
        ratio: ratio(single.other, single.ours),
        limit: { atLeast: 4 },
        behind: `${each(single.ours)} over ${each(single.other)}`,
      },
      {
        claim: `bulk insert of ${rows.toLocaleString('en-CA')} rows, speed over supa_audit 0.3.1`,
        ratio: ratio(bulk.other, bulk.ours),
        limit: { atLeast: 4 },
        behind: `${ms(bulk.ours)} against ${ms(bulk.other)}`,
      },
    );
    return { findings, notes: [NOTE, overWire, bulkNone] };
  } finally {
    for (const connection of Object.values(connections)) await connection.close();
  }
}

const NOTE =
  'Into usage_logs with all its indexes, foreign keys and policies, as service_role. Single rows in a loop on the server, each in a transaction of its own.';

type Insert = (connection: Connection) => Promise<number>;

async function inserts(rounds: number, arms: Readonly<Record<keyof Arms, Connection>>, insert: Insert) {
  for (const connection of Object.values(arms)) await insert(connection);
  return await interleaved(rounds, {
    ours: () => insert(arms.ours),
    none: () => insert(arms.none),
    other: () => insert(arms.other),
  });
}

/** Milliseconds a row, in a loop on the server. */
function singles(count: number): Insert {
  const values = VALUES.replace('$1::integer', 'n');
  const text = `do $$
    begin
      for n in 1 .. ${count} loop
        ${INSERT} values ('${FAMILY}', '${CHILD}', ${values});
        commit;
      end loop;
    end $$`;
  return async ({ client }) => (await timed(() => client.query(text))) / count;
}

/** Milliseconds a row, each sent by itself. */
function roundTrips(count: number): Insert {
  const query = { name: 'single', text: `${INSERT} values ('${FAMILY}', '${CHILD}', ${VALUES})` };
  return async ({ client }) => {
    const taken = await timed(async () => {
      for (let row = 0; row < count; row++) await client.query({ ...query, values: [row] });
    });
    return taken / count;
  };
}

/** Milliseconds a statement. */
function bulks(rows: number): Insert {
  const values = VALUES.replace('$1::integer', 'n');
  const text = `${INSERT} select '${FAMILY}', '${CHILD}', ${values} from generate_series(1, ${rows}) n`;
  return ({ client }) => timed(() => client.query(text));
}
