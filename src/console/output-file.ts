import { access, constants, type FileHandle, link, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { NestctlError } from '../platform/errors.js';
import { systemError } from '../platform/system-errors.js';
import { partialPath, partialsOf } from './partial-file.js';

/** Where --output leads, or another flag that names a file to write. */
export interface OutputFile {
  readonly path: string;
  /** A pipe or a device: written to as it is. */
  readonly special: boolean;
  readonly overwrite: boolean;
  readonly flag: string;
}

/**
 * Finds out before anything is done whether a file could be written. Throws `file_exists` without --overwrite,
 * `being_written` where another process is at it, and a sentence for what cannot be.
 */
export async function checkOutput(path: string, overwrite: boolean, flag = 'output'): Promise<OutputFile> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw refusal(path, error, flag);
  });
  if (there?.isDirectory() === true) {
    throw new NestctlError(`--${flag}: ${path} is a folder.`, { kind: 'usage', code: 'not_a_file' });
  }
  // /dev/stdout is a file where a shell has made it one, and still no place to put another file into.
  const special = there !== undefined && (!there.isFile() || path.startsWith('/dev/'));
  if (there !== undefined && !special && !overwrite) throw alreadyThere(path, flag);
  // A link keeps leading where it leads.
  const target = there !== undefined && !special ? await realpath(path) : path;
  const place = special ? path : dirname(target);
  await access(place, constants.W_OK).catch((error: unknown) => {
    throw refusal(path, error, flag);
  });
  const writer = special ? undefined : (await partialsOf(target)).find(({ alive }) => alive === true);
  if (writer !== undefined) {
    throw new NestctlError(`--${flag}: another nestctl (process ${writer.pid}) is writing ${path}.`, {
      kind: 'conflict',
      code: 'being_written',
      hint: 'Wait until it has finished, or name another file.',
    });
  }
  return { path: target, special, overwrite, flag };
}

/**
 * Writes the file whole or not at all, readable by its owner only: beside its place first, then moved there. A file
 * that somebody made there meanwhile stays, without --overwrite.
 */
export async function writeOutput(file: OutputFile, text: string): Promise<void> {
  await writing(file, (handle) => handle.writeFile(text));
}

/** As `writeOutput`, for what comes bit by bit: `produce` writes to the stream and waits until it has taken all. */
export async function streamOutput<R>(file: OutputFile, produce: (sink: Writable) => Promise<R>): Promise<R> {
  return await writing(file, async (handle) => {
    // A stream of the handle's own would hold it open, or close it before it is synchronised.
    const sink = new Writable({
      highWaterMark: 1024 * 1024,
      write: (chunk: Buffer, _, done) => void handle.writeFile(chunk).then(() => done(), done),
    });
    const result = await produce(sink);
    await new Promise<void>((resolve, reject) => {
      sink.once('error', reject);
      sink.end(resolve);
    });
    return result;
  });
}

async function writing<R>(file: OutputFile, write: (handle: FileHandle) => Promise<R>): Promise<R> {
  try {
    return file.special ? await writeThrough(file.path, write) : await writeBeside(file, write);
  } catch (error) {
    if (error instanceof NestctlError) throw error;
    const { message, code } = refusal(file.path, error, file.flag);
    throw new NestctlError(message, {
      kind: 'failure',
      code,
      hint: 'The command itself was done; only its result was not written.',
      cause: error,
    });
  }
}

async function writeBeside<R>(
  { path, overwrite, flag }: OutputFile,
  write: (handle: FileHandle) => Promise<R>,
): Promise<R> {
  const beside = await partialPath(path);
  try {
    const handle = await open(beside, 'wx', 0o600);
    let result: R;
    try {
      result = await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (overwrite) await rename(beside, path);
    else await moveToFree(beside, path, flag);
    return result;
  } finally {
    await rm(beside, { force: true });
  }
}

/** A rename would replace what is there. */
async function moveToFree(from: string, to: string, flag: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(to, flag);
    // Some file systems have no hard links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    await rename(from, to);
  }
}

async function writeThrough<R>(path: string, write: (handle: FileHandle) => Promise<R>): Promise<R> {
  const handle = await open(path, 'a');
  try {
    return await write(handle);
  } catch (error) {
    // As for stdout: a reader that has seen enough is no failure.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    return undefined as R;
  } finally {
    await handle.close();
  }
}

function alreadyThere(path: string, flag: string): NestctlError {
  return new NestctlError(`--${flag}: ${path} is there already.`, {
    kind: 'conflict',
    code: 'file_exists',
    hint: flag === 'output' ? 'Name another file, or add --overwrite to replace it.' : 'Name another file.',
  });
}

/** The system's refusal, naming what the person named: never the file beside. */
function refusal(path: string, error: unknown, flag: string): NestctlError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const named = Object.assign(error as Error, { path: missing ? dirname(path) : path });
  return (
    systemError(named) ??
    new NestctlError(`--${flag}: ${path} cannot be written.`, { kind: 'failure', cause: error })
  );
}
