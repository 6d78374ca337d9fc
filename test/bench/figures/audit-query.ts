import { eventColumns, eventSource } from '../../../src/audit/event-columns.js';
import { eventQuery } from '../../../src/audit/query-events.js';
import { type Connection, connect, withConnection } from '../../../src/platform/database/connection.js';
import type { TestDatabase } from '../../support/database.js';
import { fill, withDatabase } from '../support/databases.js';
import type { Figure } from '../support/figure.js';
import { interleaved, median, ms, ratio } from '../support/measure.js';

const EVENTS_A_FAMILY = 500;
const DAYS = 75;
const PAGE = 50;

export const auditQuery: Figure = {
  title: 'Audit query',
  measure: (bench) => {
    const [few, many] = bench.quick ? [20_000, 200_000] : [100_000, 10_000_000];
    return withDatabase(bench, (small) =>
      withDatabase(bench, async (large) => {
        for (const [database, count] of [
          [small, few],
          [large, many],
        ] as const) {
          bench.say(`making ${count.toLocaleString('en-CA')} events`);
          await makeEvents(database, count);
        }
        const readers = { small: await reader(small), large: await reader(large) };
        try {
          const families = (count: number) => Math.floor(count / EVENTS_A_FAMILY);
          const times = await interleaved(bench.quick ? 10 : 60, {
            small: () => firstPage(readers.small, families(few)),
            large: () => firstPage(readers.large, families(many)),
            key: () => byKey(readers.large, families(many)),
          });
          const name = (count: number) => count.toLocaleString('en-CA');
          return {
            findings: [
              {
                claim: `first page by family and time over ${name(many)} events, over ${name(few)}`,
                ratio: ratio(times.large, times.small),
                limit: { atMost: 1.5 },
                behind: `${ms(times.large)} over ${ms(times.small)}`,
              },
              {
                claim: `first page over ${name(many)} events, over the same rows by primary key`,
                ratio: ratio(times.large, times.key),
                limit: { atMost: 3 },
                behind: `${ms(times.large)} over ${ms(times.key)}`,
              },
            ],
            notes: [
              `The statement of \`nestctl audit query --family … --since … --until …\` (a month, ${PAGE} rows) as an auditor under row security, another family each time; server time, planning and execution, the median of three from warm buffers.`,
            ],
          };
        } finally {
          for (const connection of Object.values(readers)) await connection.close();
        }
      }),
    );
  },
};

async function reader(database: TestDatabase): Promise<Connection> {
  return await connect(database.operators[0], {
    settings: { role: 'nestsync_auditor', search_path: 'pg_catalog, public, pg_temp' },
  });
}

let drawn = 0;

/** Milliseconds of the server for the first page of a family not asked before. */
async function firstPage(connection: Connection, families: number): Promise<number> {
  return await serverTime(connection, pageQuery(families));
}

/** The same columns of the rows of such a page, each row named by the time and number of its primary key. */
async function byKey(connection: Connection, families: number): Promise<number> {
  const page = pageQuery(families);
  const rows = await connection.query<{ at: string; id: string }>(page.text, page.values);
  if (rows.length !== PAGE + 1) throw new Error(`a page of ${rows.length} events`);
  return await serverTime(connection, {
    text: `select shown.* from unnest($1::timestamptz[], $2::bigint[]) k (at, id)
      cross join lateral (
        select ${eventColumns('auditor').text} from ${eventSource('auditor').text} e
        where e.occurred_at = k.at and e.id = k.id limit 1) shown`,
    values: [rows.map(({ at }) => at), rows.map(({ id }) => id)],
  });
}

interface Query {
  readonly text: string;
  readonly values: unknown[];
}

function pageQuery(families: number): Query {
  const number = (drawn++ * 7919) % families;
  const until = new Date(Date.now() - 20 * 86_400_000);
  const since = new Date(until.getTime() - 30 * 86_400_000);
  const { text, values } = eventQuery('auditor', { family: familyId(number), since, until }, { limit: PAGE });
  return { text, values };
}

async function serverTime(connection: Connection, { text, values }: Query): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 3; run++) {
    const [row] = await connection.query<{
      'QUERY PLAN': { 'Planning Time': number; 'Execution Time': number }[];
    }>(`explain (analyze, timing off, format json) ${text}`, values);
    const plan = row?.['QUERY PLAN'][0];
    times.push((plan?.['Planning Time'] ?? Number.NaN) + (plan?.['Execution Time'] ?? Number.NaN));
  }
  return median(times);
}

function familyId(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** Events of the shape that inserts of usage logs leave, spread over families and days, in order of time. */
export async function makeEvents(database: TestDatabase, count: number): Promise<void> {
  await withConnection(database.owner, (connection) =>
    connection.query(`select audit.add_partitions((now() - interval '${DAYS + 5} days')::date, 4)`),
  );
  await fill(database, async (connection) => {
    const indexes = await connection.query<{ name: string; definition: string }>(
      `select c.relname as name, pg_get_indexdef(c.oid) as definition from pg_index i join pg_class c on c.oid = i.indexrelid
       where i.indrelid = 'audit.events'::regclass and not i.indisprimary`,
    );
    for (const { name } of indexes) await connection.query(`drop index audit.${name}`);
    await connection.query(
      `insert into audit.events (id, xid, occurred_at, epoch, category, operation, table_name, session_login, app_user, family_id,
         record_id, new_row, named_columns, named_new, salts, leaf)
       select nextval('audit.events_id_seq'), pg_current_xact_id(), at, 1, 'modification', 'INSERT', 'public.usage_logs', 'nestsync_app',
         person, ('00000000-0000-4000-8000-' || lpad(to_hex(floor(random() * ($1 / ${EVENTS_A_FAMILY}))::integer), 12, '0'))::uuid, record,
         ('{"family_id":"00000000-0000-4000-8000-000000000000","id":"' || record || '","child_id":"' || person
           || '","usage_type":"diaper_change","logged_at":"2026-11-20T15:04:00+00:00","quantity_used":1,"context":"home","was_wet":true,'
           || '"was_soiled":false,"had_leakage":false,"product_rating":null,"time_since_last_change":"PT2H40M","notes":null}')::json,
         '{caregiver_name,created_by}', array['Amélie Tremblay', person::text],
         array[uuid_send(record), uuid_send(person), null, uuid_send(record), uuid_send(person)], uuid_send(record) || uuid_send(person)
       from generate_series(1, $1::bigint) n
         cross join lateral (select gen_random_uuid() as record, gen_random_uuid() as person,
           now() - interval '${DAYS} days' + n * (interval '${DAYS} days' / $1) as at) made`,
      [count],
    );
    for (const { definition } of indexes) await connection.query(definition.replace(' ON ONLY ', ' ON '));
  });
  await withConnection(database.superuser, (connection) => connection.query('vacuum analyze audit.events'));
}
