import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Frees what is not held any more, now (some 20 ms). V8 by itself lets garbage, and buffers outside its heap above
 * all, grow to a share of the machine: for work that promises how much memory it takes, between its pieces.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  collect();
}
