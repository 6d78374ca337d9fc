import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterOf } from './cluster-copies.js';
import type { OwnServer } from './server.js';

/** The clock of a server, as its operating system would step it. */
export interface SteppedClock {
  /** So many seconds from the true time, from now on, for every process that is running. */
  step(seconds: number): void;
}

/** Restarts a server under Debian's libfaketime, with the right time at first. */
export async function steppedClock(server: OwnServer): Promise<SteppedClock> {
  const library = readdirSync('/usr/lib')
    .map((machine) => join('/usr/lib', machine, 'faketime', 'libfaketime.so.1'))
    .find((path) => existsSync(path));
  if (library === undefined) throw new Error('libfaketime is not there: apt-get install libfaketime');
  const file = join(server.folder, 'clock');
  const step = (seconds: number) => {
    // In one piece: every look at the clock reads it.
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`, { mode: 0o644 });
    renameSync(`${file}.new`, file);
  };
  step(0);
  const cluster = await clusterOf(server);
  await cluster.restartWith({
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    // Only the time of day: what waits and what is measured goes on as it does on any server.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  return { step };
}
