import { type ConnectionTarget, sslModeOf } from '../database/target.js';
import { NestctlError } from '../errors.js';
import { keepFromPrograms } from '../program.js';
import { loadContexts } from './context-file.js';
import { passwordFromCommand, passwordFromEnvironment } from './password-sources.js';
import { contextFilePath, resolveBeside } from './paths.js';
import type { ContextFile, ContextSettings, OwnerSettings, ReplicaSettings } from './schema.js';

/** A named place to work on: a server, a database, and who one is there. */
export interface Context extends ContextSettings {
  readonly name: string;
}

/**
 * The context to work on: the one named, else NESTCTL_CONTEXT, else `current` of the file, else its only one.
 * Throws `context_unknown` or `no_context`.
 */
export async function resolveContext(name?: string, path = contextFilePath()): Promise<Context> {
  const file = await loadContexts(path);
  const { contexts } = file;
  const names = Object.keys(contexts);
  const wanted = chosenName(file, name);
  if (wanted === undefined) {
    throw new NestctlError('No context says which server to work on.', {
      kind: 'conflict',
      code: 'no_context',
      hint:
        names.length > 0
          ? `Choose with --context: ${names.join(', ')}.`
          : 'Start the embedded PostgreSQL, or describe a server in the context file.',
      next: names.length > 0 ? 'nestctl context list' : 'nestctl local up',
    });
  }
  const settings = Object.hasOwn(contexts, wanted) ? contexts[wanted] : undefined;
  if (settings === undefined) {
    throw new NestctlError(`There is no context "${wanted}".`, {
      kind: 'not_found',
      code: 'context_unknown',
      hint: names.length > 0 ? `There are: ${names.join(', ')}.` : `${path} has none.`,
      mistaken: { name: wanted, among: names },
      next: names.length > 0 ? 'nestctl context list' : 'nestctl local up',
    });
  }
  // Also those of other contexts: they stand in the same environment.
  for (const each of Object.values(contexts)) {
    for (const login of [each, each.owner, each.replica, each.mail]) keepFromPrograms(login?.password_env);
    for (const service of Object.values(each.outside ?? {})) keepFromPrograms(service.key_env);
  }
  return { ...settings, name: wanted };
}

/** The operator's own connection. Throws `tls_disabled` where it would send clear text over a network. */
export function operatorTarget(context: Context): ConnectionTarget {
  return target(context, {});
}

/** The connection of the database's owner, for `db …` and bootstrap. Throws `no_owner_connection`. */
export function ownerTarget(context: Context): ConnectionTarget {
  if (context.owner === undefined) {
    throw new NestctlError(`The context "${context.name}" has no owner connection.`, {
      kind: 'not_allowed',
      code: 'no_owner_connection',
      hint: `This is work of the database's owner: add [contexts.${context.name}.owner] with its user to the context file.`,
    });
  }
  // A passfile has a line for each user and is inherited; a command or a variable answers for one user only.
  return target(context, { password_command: undefined, password_env: undefined, ...context.owner });
}

/** The operator's connection to the read replica; undefined where the context names none. */
export function replicaTarget(context: Context): ConnectionTarget | undefined {
  return context.replica === undefined ? undefined : target(context, context.replica);
}

function target(context: Context, own: Partial<OwnerSettings> | ReplicaSettings): ConnectionTarget {
  const file = contextFilePath();
  const settings = { ...context, ...own };
  const host = own.host ?? context.host;
  const { passfile, sslrootcert } = settings;
  // What it names itself comes before what it inherits.
  const named = own.passfile !== undefined && context.passfile !== own.passfile;
  const command = named ? own.password_command : settings.password_command;
  const variable = named ? own.password_env : settings.password_env;
  return {
    host,
    port: own.port ?? context.port,
    database: own.database ?? context.database,
    user: own.user ?? context.user,
    password:
      command !== undefined
        ? () => passwordFromCommand(command)
        : variable !== undefined
          ? async () => passwordFromEnvironment(variable)
          : undefined,
    passfile: passfile === undefined ? undefined : resolveBeside(file, passfile),
    sslmode: sslModeOf({ host, sslmode: settings.sslmode }),
    sslrootcert: sslrootcert === undefined ? undefined : resolveBeside(file, sslrootcert),
    context: { name: context.name, kind: context.kind },
  };
}

export type ListedContext = Awaited<ReturnType<typeof listContexts>>[number];

/** All contexts of the file; `chosen` is the one that a command without --context would work on. */
export async function listContexts(asked?: string) {
  const file = await loadContexts();
  const chosen = chosenName(file, asked);
  return Object.entries(file.contexts).map(([name, { kind, host, port, database, user, owner }]) => ({
    name,
    chosen: name === chosen,
    kind,
    host,
    port,
    database,
    user,
    owner: owner?.user ?? null,
  }));
}

function chosenName({ current, contexts }: ContextFile, asked: string | undefined): string | undefined {
  const names = Object.keys(contexts);
  return (
    asked ??
    (process.env.NESTCTL_CONTEXT || undefined) ??
    current ??
    (names.length === 1 ? names[0] : undefined)
  );
}
