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

/** The same for what was made since the last collection or the one before (some 2 ms): often, and what is short-lived never grows old. */
export function collectYoungGarbage(): void {
  collector()({ type: 'minor' });
}
