import type { Connection } from '../database/connection.js';
import type { Duty } from '../database/duties.js';
import { type ConnectionPool, withPool } from '../database/pool.js';
import type { ConnectionTarget } from '../database/target.js';
import { NestctlError } from '../errors.js';
import { catalogueChecks } from './catalogue-checks.js';
import { checkDrift } from './drift.js';
import { asDuty, checkDuties, memberships } from './duty-checks.js';
import { type Finding, finding } from './finding.js';
import { checkMigrations } from './migration-checks.js';
import { checkArchiving, checkServer, checkTls } from './server-checks.js';

/** A check of a domain, made on the operator's connection under a duty of theirs. */
export type DutyCheck = (connection: Connection) => Promise<Finding[]>;

/**
 * Examines the server, the operator and the database, and mends nothing. With the owner's connection it sees
 * more; what it could not see is `unknown`. A server that cannot be reached is a finding, not an error.
 */
export async function examine(
  operator: ConnectionTarget,
  owner: ConnectionTarget | undefined,
  onStep: (name: string) => void = () => {},
  more: Readonly<Record<string, DutyCheck>> = {},
): Promise<Finding[]> {
  onStep('operator');
  const asOperator = reach('connection', operator, (connection, pool) =>
    examineAsOperator(connection, pool, more),
  );
  if (owner === undefined) {
    return [
      ...(await asOperator),
      finding(
        'catalogue',
        'unknown',
        'comparing the catalogue with the last migration needs the owner connection, which this context has not',
      ),
    ];
  }
  onStep('owner');
  const asOwner = reach('owner connection', owner, async (connection) => [
    ...(await checkMigrations(connection)),
    ...(await checkDrift(connection)),
  ]);
  const [operators, owners] = await Promise.all([asOperator, asOwner]);
  return [...operators.filter((one) => one.name !== 'migrations'), ...owners];
}

async function examineAsOperator(
  connection: Connection,
  pool: ConnectionPool,
  more: Readonly<Record<string, DutyCheck>>,
): Promise<Finding[]> {
  const duties = await memberships(connection);
  // From the one that sees most: auditors and admins see every operator, sre only itself.
  const reader = (['auditor', 'admin', 'sre'] as const).find((duty) => duties.includes(duty));
  return [
    ...(await checkServer(connection)),
    ...(await checkTls(connection)),
    ...(await checkDuties(connection, duties)),
    ...(reader === undefined
      ? [finding('migrations', 'unknown', 'reading ops.migrations needs the duty sre, auditor or admin')]
      : await asDuty(connection, reader, () => checkMigrations(connection))),
    ...(await checkArchiving(connection)),
    ...(await catalogueChecks(connection, pool, reader)),
    ...(await underAnyDuty(connection, reader ?? duties[0], more)),
  ];
}

async function underAnyDuty(
  connection: Connection,
  duty: Duty | undefined,
  checks: Readonly<Record<string, DutyCheck>>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(checks)) {
    if (duty === undefined) findings.push(finding(name, 'unknown', 'reading it needs a duty'));
    else {
      try {
        findings.push(...(await asDuty(connection, duty, () => check(connection))));
      } catch (error) {
        if (!(error instanceof NestctlError) || error.code === 'connection_lost') throw error;
        findings.push(finding(name, 'unknown', `could not be checked: ${error.message}`));
      }
    }
  }
  return findings;
}

async function reach(
  name: string,
  target: ConnectionTarget,
  work: (connection: Connection, pool: ConnectionPool) => Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await withPool(target, (pool) =>
      pool.use(async (connection) => [
        finding(name, 'ok', `${target.user} at ${target.host}:${target.port}/${target.database}`),
        ...(await work(connection, pool)),
      ]),
    );
  } catch (error) {
    if (!(error instanceof NestctlError)) throw error;
    return [
      finding(name, 'error', error.message, {
        object: target.user,
        ...withRemedy(error.next ?? error.hint),
      }),
    ];
  }
}

function withRemedy(remedy: string | undefined): { remedy?: string } {
  return remedy === undefined ? {} : { remedy };
}
