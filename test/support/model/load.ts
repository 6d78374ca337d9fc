import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { seededRandom, testScale } from './random.js';
import { makeWorld, type Row, type World, type WorldSize } from './world.js';
import { localDay, ZONES } from './zones.js';

const HOUR = 3_600_000;
const CHUNK = 500;

export const DEFAULT_SIZE: WorldSize = { people: 48, families: 20 };

/** Makes the seed's world and writes it as the owner. */
export async function loadWorld(
  owner: pg.Client,
  seed: number,
  size: WorldSize = scaled(DEFAULT_SIZE),
): Promise<World> {
  const { rows } = await owner.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
  );
  const now = Math.floor(rows[0]?.now ?? 0);
  const world = makeWorld(seededRandom(seed), now, await agreedZones(owner, now), size);
  await writeRows(owner, world.rows);
  return world;
}

function scaled(size: WorldSize): WorldSize {
  const scale = testScale();
  return { people: Math.ceil(size.people * scale), families: Math.ceil(size.families * scale) };
}

/** Zones on which Node and the server agree these days: governments change them faster than packages follow. */
async function agreedZones(client: pg.Client, now: number): Promise<string[]> {
  // Each quarter of an hour of four days, so that a difference of one hour is met at a midnight.
  const moments = Array.from({ length: 384 }, (_, step) => now + (step - 192) * (HOUR / 4));
  const { rows } = await client.query<{ zone: string; days: string[] }>(
    `select zone, array(
       select (to_timestamp(m / 1000.0) at time zone zone)::date::text from unnest($2::float8[]) with ordinality u (m, o) order by o
     ) as days from unnest($1::text[]) zone`,
    [ZONES, moments],
  );
  const agreed = rows
    .filter(({ zone, days }) => moments.every((moment, at) => localDay(zone, moment) === days[at]))
    .map(({ zone }) => zone);
  if (agreed.length < ZONES.length - 2) throw new Error(`time zone data differ: only ${agreed} agree`);
  return agreed;
}

/** Rows of one table go in together, in the order in which the tables first appear. */
async function writeRows(owner: pg.Client, rows: readonly Row[]): Promise<void> {
  const tables = [...new Set(rows.map((row) => row.table))].filter((table) => table !== 'role_permissions');
  await owner.query(`select set_config('nestsync.request', $1, false)`, [randomUUID()]);
  for (const table of tables) {
    const values = rows.filter((row) => row.table === table).map((row) => row.values);
    const columns = Object.keys(values[0] ?? {}).join(', ');
    for (let at = 0; at < values.length; at += CHUNK) {
      await owner.query(
        `insert into public.${table} (${columns}) select ${columns} from json_populate_recordset(null::public.${table}, $1)`,
        [JSON.stringify(values.slice(at, at + CHUNK))],
      );
    }
  }
}
