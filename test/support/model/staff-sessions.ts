import type pg from 'pg';
import type { Duty, Grant } from './staff-table.js';

/** Opens the grant in a transaction of its own, under the duty, and leaves the session without a role. */
export async function openGrant(
  client: pg.Client,
  duty: Duty,
  grant: Grant,
  minutes = 20,
): Promise<string | undefined> {
  if (grant.kind === 'none') return undefined;
  const kind = grant.kind === 'family' || grant.kind === 'subject' ? 'read' : grant.kind;
  const family = grant.kind === 'family' ? grant.family : null;
  const person = grant.kind === 'subject' ? grant.person : null;
  await client.query(`set role nestsync_${duty}`);
  const { rows } = await client.query<{ id: string }>(
    `select id from ops.open_access($1, 'caller cannot see the log', 'SUP-1001', $2, $3, $4)`,
    [kind, minutes, family, person],
  );
  await client.query('reset role');
  return rows[0]?.id;
}
