import type { Connection } from '../database/connection.js';
import { migrationStatus } from '../migrations/index.js';
import { type Finding, finding } from './finding.js';

/** Whether the database is at this console's migrations. The connection must be able to read ops.migrations. */
export async function checkMigrations(connection: Connection): Promise<Finding[]> {
  const status = await migrationStatus(connection);
  const wrong = status.filter((migration) => migration.state !== 'applied');
  if (wrong.length === 0) return [finding('migrations', 'ok', `${status.length} applied`)];
  return wrong.map(({ name, state }) =>
    finding('migrations', 'error', SAYS[state], {
      object: name,
      ...(state === 'pending' ? { remedy: 'nestctl db migrate' } : { remedy: 'nestctl db status' }),
    }),
  );
}

const SAYS = {
  applied: 'applied',
  pending: 'not applied',
  changed: 'applied, but the file is another one now',
  unknown: 'applied, but this nestctl does not know it: it is older than the database',
  skipped: 'not applied although a later one is',
} as const;
