import { randomUUID } from 'node:crypto';
import { access, constants, link, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NestctlError } from '../platform/errors.js';
import { systemError } from '../platform/system-errors.js';

/** Where --output leads. */
export interface OutputFile {
  readonly path: string;
  /** A pipe or a device: written to as it is. */
  readonly special: boolean;
  readonly overwrite: boolean;
}

/**
 * Finds out before anything is done whether a file could be written. Throws `file_exists` without --overwrite, and
 * a sentence for what cannot be.
 */
export async function checkOutput(path: string, overwrite: boolean): Promise<OutputFile> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw refusal(path, error);
  });
  if (there?.isDirectory() === true) {
    throw new NestctlError(`--output: ${path} is a folder.`, { kind: 'usage', code: 'not_a_file' });
  }
  // /dev/stdout is a file where a shell has made it one, and still no place to put another file into.
  const special = there !== undefined && (!there.isFile() || path.startsWith('/dev/'));
  if (there !== undefined && !special && !overwrite) throw alreadyThere(path);
  // A link keeps leading where it leads.
  const target = there !== undefined && !special ? await realpath(path) : path;
  const place = special ? path : dirname(target);
  await access(place, constants.W_OK).catch((error: unknown) => {
    throw refusal(path, error);
  });
  return { path: target, special, overwrite };
}

/**
 * Writes the file whole or not at all, readable by its owner only: beside its place first, then moved there. A file
 * that somebody made there meanwhile stays, without --overwrite.
 */
export async function writeOutput(file: OutputFile, text: string): Promise<void> {
  try {
    if (file.special) await writeThrough(file.path, text);
    else await writeBeside(file, text);
  } catch (error) {
    if (error instanceof NestctlError) throw error;
    const { message, code } = refusal(file.path, error);
    throw new NestctlError(message, {
      kind: 'failure',
      code,
      hint: 'The command itself was done; only its result was not written.',
      cause: error,
    });
  }
}

async function writeBeside({ path, overwrite }: OutputFile, text: string): Promise<void> {
  const beside = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}`);
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (overwrite) await rename(beside, path);
    else await moveToFree(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}

/** A rename would replace what is there. */
async function moveToFree(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(to);
    // Some file systems have no hard links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    await rename(from, to);
  }
}

async function writeThrough(path: string, text: string): Promise<void> {
  const handle = await open(path, 'a');
  try {
    await handle.writeFile(text);
  } catch (error) {
    // As for stdout: a reader that has seen enough is no failure.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  } finally {
    await handle.close();
  }
}

function alreadyThere(path: string): NestctlError {
  return new NestctlError(`--output: ${path} is there already.`, {
    kind: 'conflict',
    code: 'file_exists',
    hint: 'Name another file, or add --overwrite to replace it.',
  });
}

/** The system's refusal, naming what the person named: never the file beside. */
function refusal(path: string, error: unknown): NestctlError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const named = Object.assign(error as Error, { path: missing ? dirname(path) : path });
  return (
    systemError(named) ??
    new NestctlError(`--output: ${path} cannot be written.`, { kind: 'failure', cause: error })
  );
}
