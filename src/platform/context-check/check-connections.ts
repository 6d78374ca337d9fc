import { type Context, operatorTarget, ownerTarget, replicaTarget } from '../config/contexts.js';
import { type Connection, withConnection } from '../database/connection.js';
import { passwordFor } from '../database/password.js';
import { type ConnectionTarget, describeTarget, sslModeOf } from '../database/target.js';
import { type Finding, finding } from '../doctor/finding.js';
import { checkTls } from '../doctor/server-checks.js';
import { attempt } from './attempt.js';

type Question = (connection: Connection) => Promise<Finding[]>;

/** The operator's, the owner's and the replica's connection, tried side by side. */
export async function checkConnections(context: Context): Promise<Finding[]> {
  const replica = replicaTarget(context);
  const parts = await Promise.all([
    checkConnection('operator', () => operatorTarget(context), onPrimary),
    context.owner === undefined
      ? [finding('owner', 'info', 'none is named: commands of the owner are not for this context')]
      : checkConnection('owner', () => ownerTarget(context), asOwner),
    replica === undefined
      ? [finding('replica', 'info', 'none is named: all is read from the primary')]
      : checkConnection(
          'replica',
          () => replica,
          onReplica(() => operatorTarget(context)),
        ),
  ]);
  return parts.flat();
}

async function checkConnection(
  name: string,
  named: () => ConnectionTarget,
  ask: Question,
): Promise<Finding[]> {
  return await attempt(name, async () => {
    const target = named();
    const given = await passwordFor(target).catch((error: unknown) => error as Error);
    const password = given instanceof Error ? undefined : given;
    const object = describeTarget(target);
    const wanting = async () => {
      if (password === undefined) throw given;
      return password;
    };
    return await withConnection({ ...target, password: wanting }, async (connection) => [
      finding(name, 'ok', 'connects', { object }),
      // A server that wants no password connects without; one that is named must still be there.
      ...(password === undefined && (target.password !== undefined || target.passfile !== undefined)
        ? await attempt(`${name} password`, wanting)
        : []),
      ...(sslModeOf(target) === 'require'
        ? [
            finding(
              `${name} TLS`,
              'warning',
              'sslmode "require" encrypts, but takes any server for the right one',
              {
                object,
                remedy: 'set sslmode = "verify-full" in the context',
              },
            ),
          ]
        : (await checkTls(connection)).map((one) => ({ ...one, name: `${name} TLS` }))),
      ...(await ask(connection)),
    ]);
  });
}

async function onPrimary(connection: Connection): Promise<Finding[]> {
  if (!(await isReplica(connection))) return [];
  return [
    finding('operator', 'error', 'this server is a replica: grants are written on the primary', {
      object: describeTarget(connection.target),
    }),
  ];
}

function onReplica(primary: () => ConnectionTarget): Question {
  return async (connection) => {
    const object = describeTarget(connection.target);
    if (!(await isReplica(connection))) {
      return [finding('replica', 'error', 'this server is no replica, or was promoted', { object })];
    }
    // Where the primary cannot be asked is told of the primary.
    const ours = await withConnection(primary(), clusterOf).catch(() => undefined);
    if (ours === undefined) {
      return [
        finding('replica', 'unknown', 'whether it is a replica of this primary was not found out', {
          object,
        }),
      ];
    }
    if ((await clusterOf(connection)) === ours) return [];
    return [finding('replica', 'error', 'this server is a replica of another cluster', { object })];
  };
}

async function clusterOf(connection: Connection): Promise<string> {
  const { system } = await connection.one<{ system: string }>(
    'select system_identifier::text as system from pg_control_system()',
  );
  return system;
}

async function asOwner(connection: Connection): Promise<Finding[]> {
  const { owns } = await connection.one<{ owns: boolean }>(
    'select pg_has_role(datdba, $1) as owns from pg_database where datname = current_database()',
    ['usage'],
  );
  if (owns) return [];
  return [
    finding('owner', 'error', 'this login does not own the database', {
      object: describeTarget(connection.target),
    }),
  ];
}

async function isReplica(connection: Connection): Promise<boolean> {
  const { replica } = await connection.one<{ replica: boolean }>('select pg_is_in_recovery() as replica');
  return replica;
}
