import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { identify } from '../platform/local/process-identity.js';

/** A file as it was being written, beside its place. */
interface PartialFile {
  readonly path: string;
  readonly pid: number;
  /** Its writer is at work still; undefined where it was another machine's, of which this one cannot tell. */
  readonly alive: boolean | undefined;
}

const ENDING = '.partial';
const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** Of the target, so that whoever writes it next finds what was left; a name has 255 bytes. */
const prefixOf = (target: string) => `.${basename(target).slice(0, 60)}.${hash(basename(target))}-`;

/** Where this process writes a file before it is moved to its place: by name its own, and the target's. */
export async function partialPath(target: string): Promise<string> {
  const start = (await identify(process.pid))?.start ?? '';
  return join(
    dirname(target),
    `${prefixOf(target)}${hash(hostname())}-${process.pid}-${hash(start)}${ENDING}`,
  );
}

/** What others are writing, or left when they were killed, for the same target. */
export async function partialsOf(target: string): Promise<PartialFile[]> {
  const prefix = prefixOf(target);
  const names = await readdir(dirname(target));
  const found = names.flatMap((name) => {
    const [, host, pid, start] = /^([0-9a-f]{12})-(\d+)-([0-9a-f]{12})\.partial$/.exec(
      name.startsWith(prefix) ? name.slice(prefix.length) : '',
    ) ?? [undefined];
    return pid === undefined || start === undefined ? [] : [{ name, host, pid: Number(pid), start }];
  });
  return await Promise.all(
    found.map(async ({ name, host, pid, start }) => {
      const here = host === hash(hostname());
      const alive = here ? hash((await identify(pid))?.start ?? 'none') === start : undefined;
      return { path: join(dirname(target), name), pid, alive };
    }),
  );
}

/**
 * Removes what a process that was killed left beside its target: it may hold what the file was to hold. Says so, and
 * which it could not judge; undefined where there was nothing.
 */
export async function removeLeftovers(target: string): Promise<string | undefined> {
  const partials = await partialsOf(target);
  const dead = partials.filter(({ alive }) => alive === false);
  const elsewhere = partials.filter(({ alive }) => alive === undefined);
  for (const { path } of dead) await rm(path, { force: true });
  const said = [
    ...(dead.length > 0 ? [`Removed what a run that was killed had left unfinished: ${named(dead)}.`] : []),
    ...(elsewhere.length > 0
      ? [`Another machine writes, or has left unfinished: ${named(elsewhere)}. Remove it if nobody does.`]
      : []),
  ];
  return said.length > 0 ? said.join(' ') : undefined;
}

const named = (partials: readonly PartialFile[]) => partials.map(({ path }) => path).join(', ');
