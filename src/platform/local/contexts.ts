import { isDeepStrictEqual } from 'node:util';
import { loadContexts, updateContexts } from '../config/context-file.js';
import type { ContextFile, ContextSettings } from '../config/schema.js';
import { NestctlError } from '../errors.js';
import { DATABASE, OPERATORS, OWNER } from './identities.js';
import type { LocalPaths } from './paths.js';

/** Throws `conflict` where a context of ours has been given to another server. */
export async function refuseTakenContexts(): Promise<void> {
  const { contexts } = await loadContexts();
  for (const { context } of OPERATORS) {
    const there = contexts[context];
    if (there === undefined || there.kind === 'local') continue;
    throw new NestctlError(`The context "${context}" is not the embedded database but ${there.host}.`, {
      kind: 'conflict',
      code: 'context_taken',
      hint: 'Give it another name in the context file: nestctl uses this one for the embedded database.',
    });
  }
}

/**
 * Points a context for each local operator at the server, and makes the first one current where none is.
 * Leaves the file alone where it says so already.
 */
export async function writeContexts(paths: LocalPaths, port: number): Promise<void> {
  const wanted = Object.fromEntries(
    OPERATORS.map(({ login, context }): [string, ContextSettings] => [
      context,
      {
        kind: 'local',
        host: '127.0.0.1',
        port,
        database: DATABASE,
        user: login,
        passfile: paths.passfile,
        sslmode: 'disable',
        owner: { user: OWNER },
      },
    ]),
  );
  const merge = (file: ContextFile): ContextFile => ({
    ...file,
    current: file.current ?? OPERATORS[0]?.context,
    // What a person added, such as an object store to try, stays.
    contexts: { ...file.contexts, ...merged(file, wanted) },
  });
  const before = await loadContexts();
  if (!isDeepStrictEqual(before, merge(before))) await updateContexts(merge);
}

function merged(
  { contexts }: ContextFile,
  wanted: Readonly<Record<string, ContextSettings>>,
): Record<string, ContextSettings> {
  return Object.fromEntries(
    Object.entries(wanted).map(([name, ours]) => [name, { ...contexts[name], ...ours }]),
  );
}

/** The contexts that connect to this cluster. */
export async function contextsOf(paths: LocalPaths): Promise<string[]> {
  const { contexts } = await loadContexts();
  return Object.entries(contexts)
    .filter(([, { kind, passfile }]) => kind === 'local' && passfile === paths.passfile)
    .map(([name]) => name);
}
