import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestctlError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { identify } from './process-identity.js';

interface Holder {
  readonly pid: number;
  /** Absent once released. */
  readonly start?: string;
}

export interface LockOptions {
  /** How long to wait for another holder. */
  readonly timeoutMs?: number;
  /** Called once, when the lock turns out to be held. */
  readonly onWait?: ((pid: number) => void) | undefined;
}

/**
 * Runs `work` while no other process does so under the same folder. A holder that died is recognised by its
 * process id and start time, so no lock is ever left behind.
 *
 * The folder has numbered files; the highest tells who holds the lock. Taking it is making the next number,
 * which the system lets only one process do. Releasing leaves the file, marked, so numbers never start again:
 * otherwise a slow process could take over from a holder that it believes dead and that is long gone.
 * Throws `conflict` where the holder does not finish in time.
 */
export async function withLock<T>(
  folder: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  await makeFolder(folder);
  const mine = await take(folder, options);
  try {
    return await work();
  } finally {
    await put(folder, mine, { pid: process.pid });
  }
}

/** The process that holds the lock now; undefined where nobody does. */
export async function lockHolder(folder: string): Promise<number | undefined> {
  const highest = await highestOf(folder).catch(() => 0);
  const holder = highest === 0 ? undefined : await read(folder, highest);
  return holder !== undefined && (await lives(holder)) ? holder.pid : undefined;
}

async function take(folder: string, { timeoutMs = 120_000, onWait }: LockOptions): Promise<number> {
  const self = await identify(process.pid);
  const deadline = Date.now() + timeoutMs;
  for (let told = false; ; await sleep(50)) {
    const highest = await highestOf(folder);
    const holder = highest === 0 ? undefined : await read(folder, highest);
    if (holder !== undefined && (await lives(holder))) {
      if (!told) onWait?.(holder.pid);
      told = true;
      if (Date.now() < deadline) continue;
      throw new NestctlError(
        `Another nestctl (process ${holder.pid}) is at work on what is kept beside ${folder}.`,
        {
          kind: 'conflict',
          code: 'busy',
          hint: 'Wait until it has finished, or end it.',
        },
      );
    }
    const mine = highest + 1;
    if (!(await claim(folder, mine, { pid: process.pid, start: self?.start ?? '' }))) continue;
    if ((await highestOf(folder)) > mine) {
      await rm(join(folder, String(mine)), { force: true });
      continue;
    }
    for (const name of await readdir(folder)) {
      if (name !== String(mine)) await rm(join(folder, name), { force: true });
    }
    return mine;
  }
}

async function lives(holder: Holder): Promise<boolean> {
  if (holder.start === undefined) return false;
  return (await identify(holder.pid))?.start === holder.start;
}

async function highestOf(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
  return Math.max(0, ...numbers);
}

async function read(folder: string, number: number): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, String(number)), 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

/** Makes the numbered file with its content at once; false where it is there already. */
async function claim(folder: string, number: number, holder: Holder): Promise<boolean> {
  const draft = join(folder, `draft-${randomBytes(6).toString('hex')}`);
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    await link(draft, join(folder, String(number)));
    return true;
  } catch (error) {
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function put(folder: string, number: number, holder: Holder): Promise<void> {
  const draft = join(folder, `draft-${randomBytes(6).toString('hex')}`);
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  await rename(draft, join(folder, String(number)));
}
