import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options?: { type: 'minor' }) => void) | undefined;

function collector(): NonNullable<typeof collect> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as NonNullable<typeof collect>;
    setFlagsFromString('--no-expose-gc');
  }
  return collect;
}

/**
 * Frees what is not held any more, now (some 20 ms). V8 by itself lets garbage, and buffers outside its heap above
 * all, grow to a share of the machine: for work that promises how much memory it takes, between its pieces.
 */
export function collectGarbage(): void {
  collector()();
}

/** More than so many bytes in buffers are garbage, for the most part. */
const MOST_IN_BUFFERS = 20 * 1024 * 1024;

/**
 * The same in some 0.5 ms, for work that leaves little behind but buffers: those made since it was last called are freed
 * while they are young, and all that has grown old only where there is much of it.
 */
export function collectBuffers(): void {
  collector()({ type: 'minor' });
  if (process.memoryUsage().arrayBuffers > MOST_IN_BUFFERS) collector()();
}
