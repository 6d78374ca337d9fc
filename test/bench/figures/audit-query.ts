import { eventColumns, eventSource } from '../../../src/audit/event-columns.js';
import type { EventFilter } from '../../../src/audit/event-filter.js';
import { eventQuery } from '../../../src/audit/query-events.js';
import { type Connection, connect } from '../../../src/platform/database/connection.js';
import type { TestDatabase } from '../../support/database.js';
import { withDatabase } from '../support/databases.js';
import { EVENTS_A_REQUEST, EVENTS_EACH, makeEvents, named, STAFF_SHARE } from '../support/events.js';
import type { Figure, Finding } from '../support/figure.js';
import { interleaved, median, ms, ratio } from '../support/measure.js';

const PAGE = 50;

interface Filter {
  readonly of: (number: number) => EventFilter;
  /** How many there are of it. */
  readonly bound: (events: number) => number;
  /** Events that each of them finds; as many as a page tries to read, where absent. */
  readonly finds?: number;
}

/** Every filter that has an index. */
const FILTERS: Readonly<Record<string, Filter>> = {
  'time alone': { of: () => month(), bound: () => 1 },
  'family and time': { of: (n) => ({ family: named.family(n), ...month() }), bound: (e) => e / EVENTS_EACH },
  'person who wrote': { of: (n) => ({ user: named.person(n) }), bound: (e) => e / EVENTS_EACH },
  'person concerned': { of: (n) => ({ user: named.subject(n) }), bound: (e) => e / EVENTS_EACH },
  operator: {
    of: (n) => ({ operator: named.operator(n) }),
    bound: (e) => e / STAFF_SHARE / EVENTS_EACH / 20,
  },
  ticket: { of: (n) => ({ ticket: named.ticket(n) }), bound: (e) => e / STAFF_SHARE / EVENTS_EACH },
  // The first and the last request are not whole.
  request: {
    of: (n) => ({ request: named.request(n + 1) }),
    bound: (e) => e / EVENTS_A_REQUEST - 1,
    finds: EVENTS_A_REQUEST,
  },
  row: { of: (n) => ({ key: named.row(n + 1) }), bound: (e) => e, finds: 1 },
};

const month = () => {
  const until = new Date(Date.now() - 20 * 86_400_000);
  return { since: new Date(until.getTime() - 30 * 86_400_000), until };
};

export const auditQuery: Figure = {
  title: 'Audit query',
  measure: (bench) => {
    const [few, many] = bench.quick ? [30_000, 300_000] : [300_000, 30_000_000];
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
          const findings: Finding[] = [];
          for (const [name, { of, bound, finds = PAGE + 1 }] of Object.entries(FILTERS)) {
            const next = (events: number) => of((drawn++ * 7919) % Math.max(1, Math.floor(bound(events))));
            const times = await interleaved(bench.quick ? 10 : 30, {
              small: () => serverTime(readers.small, pageQuery(next(few))),
              large: () => serverTime(readers.large, pageQuery(next(many))),
              key: () => byKey(readers.large, pageQuery(next(many)), finds),
            });
            findings.push(...findingsOn(name, times, [few, many]));
          }
          return {
            findings,
            notes: [
              `The statements of \`nestctl audit query\` (a page of ${PAGE}; with time, a month) as an auditor under row security, another family, person … each time; server time, planning and execution, the median of three from warm buffers.`,
            ],
          };
        } finally {
          for (const connection of Object.values(readers)) await connection.close();
        }
      }),
    );
  },
};

let drawn = 0;

function findingsOn(
  name: string,
  times: Readonly<Record<'small' | 'large' | 'key', readonly number[]>>,
  [few, many]: readonly [number, number],
): Finding[] {
  const count = (events: number) => events.toLocaleString('en-CA');
  return [
    {
      claim: `first page by ${name} over ${count(many)} events, over ${count(few)}`,
      ratio: ratio(times.large, times.small),
      limit: { atMost: 1.5 },
      behind: `${ms(times.large)} over ${ms(times.small)}`,
    },
    {
      claim: `first page by ${name} over ${count(many)} events, over the same rows by primary key`,
      ratio: ratio(times.large, times.key),
      limit: { atMost: 3 },
      behind: `${ms(times.large)} over ${ms(times.key)}`,
    },
  ];
}

async function reader(database: TestDatabase): Promise<Connection> {
  return await connect(database.operators[0], {
    settings: { role: 'nestsync_auditor', search_path: 'pg_catalog, public, pg_temp' },
  });
}

interface Query {
  readonly text: string;
  readonly values: unknown[];
}

function pageQuery(filter: EventFilter): Query {
  const { text, values } = eventQuery('auditor', filter, { limit: PAGE });
  return { text, values };
}

/** Milliseconds of the server for the same columns of the rows of a page, each row named by the time and number of its primary key. */
async function byKey(connection: Connection, page: Query, finds: number): Promise<number> {
  const rows = await connection.query<{ at: string; id: string }>(page.text, page.values);
  if (rows.length !== finds) throw new Error(`a page of ${rows.length} events`);
  return await serverTime(connection, {
    text: `select shown.* from unnest($1::timestamptz[], $2::bigint[]) k (at, id)
      cross join lateral (
        select ${eventColumns('auditor').text} from ${eventSource('auditor').text} e
        where e.occurred_at = k.at and e.id = k.id limit 1) shown`,
    values: [rows.map(({ at }) => at), rows.map(({ id }) => id)],
  });
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
