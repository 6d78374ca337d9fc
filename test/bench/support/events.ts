import { type Connection, withConnection } from '../../../src/platform/database/connection.js';
import type { TestDatabase } from '../../support/database.js';
import { fill } from './databases.js';

/** Events that each family has, each person wrote, and each person is the subject of, on average. */
export const EVENTS_EACH = 500;
/** One event in so many is an operator's; as many have one ticket, and an operator twenty times as many. */
export const STAFF_SHARE = 50;
/** Events of one request, which follow each other. */
export const EVENTS_A_REQUEST = 10;
const DAYS = 75;

const uuids = (kind: number, number: string) =>
  `('00000000-0000-4000-800${kind}-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
const some = `floor(random() * ($1 / ${EVENTS_EACH}))::integer`;

/** What the events of a number of events are found by, from 0: so many families, people, tickets and requests there are. */
export const named = {
  family: (number: number) => uuid(0, number),
  person: (number: number) => uuid(1, number),
  subject: (number: number) => uuid(2, number),
  row: (number: number) => uuid(3, number),
  operator: (number: number) => `operator.${number}`,
  ticket: (number: number) => `SUP-${number}`,
  request: (number: number) => `request-${number}`,
} as const;

function uuid(kind: number, number: number): string {
  return `00000000-0000-4000-800${kind}-${number.toString(16).padStart(12, '0')}`;
}

export interface MadeEvents {
  /** When the newest of them happened; now when absent. */
  readonly until?: Date;
  /** Deletes instead of inserts, each with its true leaf: a log that verifies and is not missed by any row. */
  readonly deletes?: boolean;
}

/** Events in one transaction. */
const AT_ONCE = 500_000;

/** Events of the shape that inserts of usage logs leave, spread over families and days, in order of time. */
export async function makeEvents(
  database: TestDatabase,
  count: number,
  { until = new Date(), deletes = false }: MadeEvents = {},
): Promise<void> {
  const days = (number: number) => new Date(until.getTime() - number * 86_400_000);
  await withConnection(database.owner, (connection) =>
    connection.query('select audit.add_partitions($1::date, 4)', [days(DAYS + 5)]),
  );
  await fill(database, async (connection) => {
    const indexes = await connection.query<{ name: string; definition: string }>(
      `select c.relname as name, pg_get_indexdef(c.oid) as definition from pg_index i join pg_class c on c.oid = i.indexrelid
       where i.indrelid = 'audit.events'::regclass and not i.indisprimary`,
    );
    for (const { name } of indexes) await connection.query(`drop index audit.${name}`);
    const [operation, row, values] = deletes
      ? ['DELETE', 'old_row', 'named_old']
      : ['INSERT', 'new_row', 'named_new'];
    const tickets = `($1 / ${STAFF_SHARE * EVENTS_EACH} + 1)`;
    for (let from = 1; from <= count; from += AT_ONCE) {
      await connection.query(
        `insert into audit.events (id, xid, occurred_at, epoch, category, operation, table_name, session_login, duty, ticket, request_id,
           app_user, subject_user, family_id, record_id, ${row}, named_columns, ${values}, salts, leaf)
         select nextval('audit.events_id_seq'), pg_current_xact_id(), at, 1, 'modification', '${operation}', 'public.usage_logs',
           case when staff then 'operator.' || n / ${STAFF_SHARE} % (${tickets} / 20 + 1) else 'nestsync_app' end,
           case when staff then 'support' end, case when staff then 'SUP-' || n / ${STAFF_SHARE} % ${tickets} end,
           'request-' || n / ${EVENTS_A_REQUEST}, person, case when n % 3 = 0 then ${uuids(2, some)} end, ${uuids(0, some)}, record,
           ('{"family_id":"00000000-0000-4000-8000-000000000000","id":"' || record || '","child_id":"' || person
             || '","usage_type":"diaper_change","logged_at":"2026-11-20T15:04:00+00:00","quantity_used":1,"context":"home","was_wet":true,'
             || '"was_soiled":false,"had_leakage":false,"product_rating":null,"time_since_last_change":"PT2H40M","notes":null}')::json,
           '{caregiver_name,created_by}', array['Amélie Tremblay', person::text],
           array[uuid_send(record), uuid_send(person), case when staff then uuid_send(person) end, uuid_send(record), uuid_send(person)],
           uuid_send(record) || uuid_send(person)
         from generate_series($2::bigint, $3::bigint) n
           cross join lateral (select ${uuids(3, 'n')} as record, ${uuids(1, some)} as person, n % ${STAFF_SHARE} = 0 as staff,
             $4::timestamptz + n * (interval '${DAYS} days' / $1) as at) made`,
        [count, from, Math.min(count, from + AT_ONCE - 1), days(DAYS)],
      );
    }
    if (deletes) await makeLeaves(connection);
    for (const { definition } of indexes) await connection.query(definition.replace(' ON ONLY ', ' ON '));
  });
  await withConnection(database.superuser, (connection) => connection.query('vacuum analyze audit.events'));
}

/** By the view that verifies, without its condition on who reads it: the function for one event takes hours for all. */
async function makeLeaves(connection: Connection): Promise<void> {
  const { view } = await connection.one<{ view: string }>(
    `select pg_get_viewdef('audit.event_hashes'::regclass) as view`,
  );
  const all = view.slice(0, view.lastIndexOf('WHERE'));
  await connection.query(
    `update audit.events e set leaf = h.leaf_now from (${all}) h
     where h.id = e.id and h.occurred_at = e.occurred_at and h.category = e.category`,
  );
}
