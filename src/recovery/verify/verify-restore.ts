import { lintAccess } from '../../access/index.js';
import { type Connection, withConnection } from '../../platform/database/connection.js';
import { checkDrift } from '../../platform/doctor/drift.js';
import { type Finding, finding } from '../../platform/doctor/finding.js';
import { NestctlError } from '../../platform/errors.js';
import { migrationStatus } from '../../platform/migrations/index.js';
import type { Restore } from '../isolated/folder.js';
import { isolatedTarget } from '../isolated/start.js';
import { checkPrepared, checkSequences } from './check-data.js';
import { checkPages, type PageOptions } from './check-pages.js';

export interface VerifyOptions extends PageOptions {
  readonly tell?: ((what: string) => void) | undefined;
}

/**
 * Whether what was restored is sound: its pages, tables and indexes, what its catalogue ought to be, its row security, its
 * sequences. What could not be looked at is unknown, and whether people who were erased are back is that always: only their replay
 * tells. Throws `not_open` where its server does not run.
 */
export async function verifyRestore(
  restore: Pick<Restore, 'id' | 'socket' | 'database'>,
  { tell, ...pages }: VerifyOptions = {},
): Promise<readonly Finding[]> {
  const { socket, database } = restore;
  if (socket === null) throw notOpen(restore.id);
  tell?.('reading all pages, tables and indexes');
  const read = await checkPages(socket, pages);
  tell?.('comparing catalogue and row security');
  const rest = await withConnection(isolatedTarget(socket, database), async (connection) => [
    ...(await checkPrepared(connection)),
    ...(await attempt('migrations', () => checkMigrations(connection))),
    ...(await attempt('catalogue', () => checkDrift(connection))),
    ...(await attempt('row security', () => checkRowSecurity(connection))),
    ...(await attempt('sequences', () => checkSequences(connection))),
  ]);
  return [
    ...read,
    ...rest,
    finding(
      'erasures and decisions',
      'unknown',
      'whether people who were erased are back only a replay tells',
      {
        remedy: 'nestctl erasure replay --after-restore',
      },
    ),
  ];
}

async function attempt(name: string, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NestctlError) return [finding(name, 'unknown', error.message)];
    throw error;
  }
}

async function checkMigrations(connection: Connection): Promise<Finding[]> {
  const all = await migrationStatus(connection);
  const odd = all.filter(({ state }) => state !== 'applied');
  return odd.length === 0
    ? [finding('migrations', 'ok', `${all.length}, as this nestctl has them`)]
    : odd.map(({ name, state }) =>
        finding('migrations', state === 'pending' ? 'warning' : 'error', `is ${state}`, { object: name }),
      );
}

async function checkRowSecurity(connection: Connection): Promise<Finding[]> {
  const { findings, rules } = await lintAccess(connection, {});
  const wrong = findings.filter(({ meant, level }) => meant === null && level !== 'ok' && level !== 'info');
  return wrong.length === 0
    ? [finding('row security', 'ok', `${rules.length} rules find nothing`)]
    : wrong.map(({ name, level, detail, object }) =>
        finding('row security', level, `${name}: ${detail}`, object === null ? {} : { object }),
      );
}

const notOpen = (id: string) =>
  new NestctlError(`Restore ${id} is not open.`, {
    kind: 'conflict',
    code: 'not_open',
    next: 'nestctl restore status',
  });
