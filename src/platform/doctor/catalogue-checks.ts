import { readdir, readFile } from 'node:fs/promises';
import type { Connection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import { sqlPath } from '../package-root.js';
import { type Finding, finding } from './finding.js';

/** Runs every file of sql/checks in its own read-only transaction; one that finds nothing is an `ok`. */
export async function catalogueChecks(connection: Connection): Promise<Finding[]> {
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
  const findings: Finding[] = [];
  for (const file of files) {
    const name = file.replace(/^\d+_|\.sql$/g, '');
    const text = await readFile(`${folder}/${file}`, 'utf8');
    findings.push(...(await runCheck(connection, name, text)));
  }
  return findings;
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
