import { NestctlError } from '../errors.js';
import { loadContexts, updateContexts } from './context-file.js';
import { CONTEXT_NAME, type ContextFile, type ContextSettings, contextFileSchema } from './schema.js';

/** Checks settings as the file is checked. Throws `invalid_context`, naming the key, never its value. */
export function planContext(
  name: string,
  settings: ContextSettings,
): { name: string; settings: ContextSettings } {
  const checked = contextFileSchema.safeParse({ contexts: { [name]: settings } });
  const [issue] = checked.error?.issues ?? [];
  if (issue === undefined) return { name, settings };
  const key = issue.path.slice(2).join('.');
  throw new NestctlError(key === '' ? `${issue.message}.` : `${key}: ${issue.message}.`, {
    kind: 'usage',
    code: 'invalid_context',
  });
}

/** Writes a new context. Throws `context_exists`. */
export async function addContext(
  name: string,
  settings: ContextSettings,
  options: { readonly use: boolean },
): Promise<{ name: string; current: boolean }> {
  await refuseTaken(name);
  const { current } = await updateContexts((file) => {
    refuseIfThere(file, name);
    const first = Object.keys(file.contexts).length === 0;
    return {
      ...file,
      ...(options.use || first ? { current: name } : {}),
      contexts: { ...file.contexts, [name]: settings },
    };
  });
  return { name, current: current === name };
}

/** Throws where a context of that name cannot be added: `context_exists`, `invalid_name`. */
export async function refuseTaken(name: string): Promise<void> {
  if (!CONTEXT_NAME.test(name)) {
    throw new NestctlError(`"${name}" is no name for a context.`, {
      kind: 'usage',
      code: 'invalid_name',
      hint: 'Letters, digits, dot, dash and underscore, up to 63.',
    });
  }
  refuseIfThere(await loadContexts(), name);
}

/** Makes a context the one that commands without --context work on; returns the one before. */
export async function useContext(name: string): Promise<string | undefined> {
  let before: string | undefined;
  await updateContexts((file) => {
    before = file.current;
    requireThere(file, name);
    return { ...file, current: name };
  });
  return before;
}

/** What removing a context would take away. Throws `context_unknown`. */
export async function planRemoval(name: string): Promise<{ name: string; current: boolean; server: string }> {
  const file = await loadContexts();
  const { host, port, database, user } = requireThere(file, name);
  return { name, current: file.current === name, server: `${user}@${host}:${port}/${database}` };
}

/** Takes a context out of the file; none is current afterwards where it was. Touches no server. */
export async function removeContext(name: string): Promise<void> {
  await updateContexts((file) => {
    requireThere(file, name);
    const { [name]: _, ...contexts } = file.contexts;
    return file.current === name ? { contexts } : { ...file, contexts };
  });
}

function requireThere(file: ContextFile, name: string): ContextSettings {
  const settings = Object.hasOwn(file.contexts, name) ? file.contexts[name] : undefined;
  if (settings !== undefined) return settings;
  const names = Object.keys(file.contexts);
  throw new NestctlError(`There is no context "${name}".`, {
    kind: 'not_found',
    code: 'context_unknown',
    hint: names.length > 0 ? `There are: ${names.join(', ')}.` : undefined,
    next: 'nestctl context list',
  });
}

function refuseIfThere(file: ContextFile, name: string): void {
  if (!Object.hasOwn(file.contexts, name)) return;
  throw new NestctlError(`There is a context "${name}" already.`, {
    kind: 'conflict',
    code: 'context_exists',
    hint: 'Choose another name, change it in the file, or remove it first.',
    next: `nestctl context show ${name}`,
  });
}
