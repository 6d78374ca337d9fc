import { readdir, readFile } from 'node:fs/promises';
import type { Connection } from '../database/connection.js';
import type { Duty } from '../database/duties.js';
import type { ConnectionPool } from '../database/pool.js';
import { NestctlError } from '../errors.js';
import { sqlPath } from '../package-root.js';
import { asDuty } from './duty-checks.js';
import { type Finding, finding } from './finding.js';

/** Checks side by side: beyond this many a server gains nothing. */
const LANES = 3;

/**
 * Runs every file of sql/checks in its own read-only transaction, under a duty where one is given; one that finds
 * nothing is an `ok`. Side by side, as far as the server has connections to spare.
 */
export async function catalogueChecks(
  connection: Connection,
  pool: ConnectionPool,
  duty: Duty | undefined,
): Promise<Finding[]> {
  const folder = sqlPath('checks');
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (names === undefined) {
    return [
      finding('checks', 'unknown', 'this installation lacks its catalogue checks', { object: 'sql/checks' }),
    ];
  }
  const files = names.filter((file) => file.endsWith('.sql')).sort();
  const found: Finding[][] = [];
  const waiting = files.entries();
  const runLane = async (lane: Connection) => {
    const runRest = async () => {
      for (const [at, file] of waiting) {
        const name = file.replace(/^\d+_|\.sql$/g, '');
        const text = await readFile(`${folder}/${file}`, 'utf8');
        found[at] = await runCheck(lane, name, text);
      }
    };
    await (duty === undefined ? runRest() : asDuty(lane, duty, runRest));
  };
  const extra = Array.from({ length: LANES - 1 }, () =>
    pool.use(runLane).catch((error: unknown) => {
      // Where the server has no more, one connection does it all.
      if (!(error instanceof NestctlError) || error.code !== 'too_many_connections') throw error;
    }),
  );
  await Promise.all([runLane(connection), ...extra]);
  return found.flat();
}

async function runCheck(connection: Connection, name: string, text: string): Promise<Finding[]> {
  try {
    const found = await connection.transaction(() => connection.query<Finding>(text), {
      isolation: 'repeatable read',
      readOnly: true,
    });
    return found.length > 0 ? found : [finding(name, 'ok', 'nothing found')];
  } catch (error) {
    if (!(error instanceof NestctlError) || error.code === 'connection_lost') throw error;
    return [finding(name, 'unknown', `could not be checked: ${error.message}`)];
  }
}
