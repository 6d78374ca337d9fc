import { lstat, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { parse, stringify, TomlError } from 'smol-toml';
import { NestctlError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { editToml } from './edit-toml.js';
import { contextFilePath } from './paths.js';
import { type ContextFile, contextFileSchema } from './schema.js';

const HEADER = '# The contexts of nestctl. No passwords here: name a passfile or a password_command.\n\n';

/**
 * Reads and checks the context file; an absent one is an empty one. Throws `config_invalid`, naming the line or
 * the key, and `config_open` where somebody else could have written or read it.
 */
export async function loadContexts(path = contextFilePath()): Promise<ContextFile> {
  const text = await readPrivately(path);
  return text === undefined ? { contexts: {} } : check(parseToml(text, path), path);
}

/**
 * Reads, changes and replaces the context file in one step, so that nobody ever reads half of it. Two at a time
 * wait for each other; a change that throws leaves the file as it was. Comments are kept, but for those of a
 * context that is changed or removed.
 */
export async function updateContexts(
  change: (file: ContextFile) => ContextFile,
  path = contextFilePath(),
): Promise<ContextFile> {
  await makeFolder(dirname(path), 0o700);
  // A link to a file kept elsewhere stays a link.
  const target = await realpath(path).catch(() => path);
  const draft = `${target}.new`;
  const handle = await openDraft(draft);
  try {
    const text = await readPrivately(target);
    const before = text === undefined ? { contexts: {} } : check(parseToml(text, path), path);
    const changed = check(change(structuredClone(before)), path);
    await handle.writeFile(written(text, before, changed));
    await handle.sync();
    await handle.close();
    await rename(draft, target);
    return changed;
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}

/** The old text with what changed, where that says just what it should; else the file anew. */
function written(text: string | undefined, before: ContextFile, after: ContextFile): string {
  if (text !== undefined) {
    const edited = editToml(text, before, after);
    const read = contextFileSchema.safeParse(tryToml(edited));
    if (read.success && isDeepStrictEqual(read.data, after)) return edited;
  }
  return HEADER + stringify(after);
}

function tryToml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** The draft is the lock too, as git does it: only one process can create it. */
async function openDraft(draft: string): Promise<Awaited<ReturnType<typeof open>>> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    try {
      return await open(draft, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const age = Date.now() - ((await lstat(draft).catch(() => undefined))?.mtimeMs ?? Date.now());
    // Writing takes milliseconds: an old draft was left by a process that was killed.
    if (age > 10_000) await rm(draft, { force: true });
    else if (Date.now() > deadline) {
      throw new NestctlError(`Another nestctl is writing ${draft}.`, {
        kind: 'conflict',
        code: 'config_busy',
      });
    } else await sleep(50);
  }
}

async function readPrivately(path: string): Promise<string | undefined> {
  const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  // It can hold a command that is run: only we and root may have written it.
  const ours = file.uid === process.getuid?.() || file.uid === 0;
  if (!ours || (file.mode & 0o077) !== 0) {
    throw new NestctlError(
      `${path} ${ours ? 'is open to other users' : 'belongs to another user'} of this machine.`,
      {
        kind: 'not_allowed',
        code: 'config_open',
        hint: ours ? 'It says where personal data is and may name a command to run.' : undefined,
        next: ours ? `chmod 600 ${path}` : undefined,
      },
    );
  }
  return await readFile(path, 'utf8');
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new NestctlError(`${path}, line ${error.line}, column ${error.column}: this is not valid TOML.`, {
      kind: 'failure',
      code: 'config_invalid',
      hint: error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, ''),
    });
  }
}

/** A key is whatever stands before the equals sign: a URL with a password in it, if all goes wrong. */
function shownKey(key: PropertyKey): string {
  const text = String(key);
  return /^[\w .-]{1,63}$/.test(text) ? text : '(a name that is none)';
}

function check(value: unknown, path: string): ContextFile {
  const checked = contextFileSchema.safeParse(value);
  if (!checked.success) {
    const problems = checked.error.issues.map((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
      const where = [...issue.path, ...keys.slice(0, 1)].map(shownKey).join('.');
      if (issue.code !== 'unrecognized_keys') return `${where}: ${issue.message}`;
      return /secret|pass|pw|token|credential|key$/i.test(keys[0] ?? '')
        ? `${where}: unknown key; no secret may stand in this file, name where it comes from`
        : `${where}: unknown key`;
    });
    throw new NestctlError(`${path}: ${problems[0] ?? 'it has the wrong shape'}.`, {
      kind: 'failure',
      code: 'config_invalid',
      hint: problems.length > 1 ? `Also: ${problems.slice(1).join('; ')}.` : undefined,
    });
  }
  const { current, contexts } = checked.data;
  if (current !== undefined && !Object.hasOwn(contexts, current)) {
    throw new NestctlError(`${path}: current: there is no context "${shownKey(current)}".`, {
      kind: 'failure',
      code: 'config_invalid',
      next: 'nestctl context list',
    });
  }
  return checked.data;
}
