import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { dataFolder } from '../platform/data-folder.js';

const NAME = 'nestctl.ndjson';
const ROTATED = /^nestctl-\d{13}-\d+\.ndjson$/;
/** A file of this size, bytes, is put aside; with those kept beside it the log never takes more than five of them. */
const LARGEST = 1_000_000;
const KEPT = 4;

/** Where runs are logged: `log/nestctl.ndjson` of the data folder; undefined where NESTCTL_LOG is `off`. */
export function logFile(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env.NESTCTL_LOG === 'off' ? undefined : join(dataFolder(env), 'log', NAME);
}

/**
 * Appends one entry as a line of JSON to a file that only this user reads. Answers whether that worked: a full
 * disk or a missing right is no reason for a command to fail.
 */
export function appendEntry(path: string, entry: object): boolean {
  try {
    const folder = dirname(path);
    makeHome(dirname(folder));
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
    const file = openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      if ((fstatSync(file).mode & 0o077) !== 0) fchmodSync(file, 0o600);
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
      if (fstatSync(file).size >= LARGEST) rotate(folder, path);
    } finally {
      closeSync(file);
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes the data folder and those above it. Root's is passed through by the user of the local server, whatever the
 * umask says. One at a time: below /proc Node's own recursion never ends.
 */
function makeHome(home: string): void {
  if (existsSync(home)) return;
  makeHome(dirname(home));
  mkdirSync(home);
  chmodSync(home, process.geteuid?.() === 0 ? 0o755 : 0o700);
}

/** Under a name of its own: two processes that rotate at once put two files aside, and lose no line. */
function rotate(folder: string, path: string): void {
  renameSync(path, join(folder, `nestctl-${Date.now()}-${process.pid}.ndjson`));
  const old = readdirSync(folder)
    .filter((name) => ROTATED.test(name))
    .sort();
  for (const name of old.slice(0, Math.max(0, old.length - KEPT)))
    rmSync(join(folder, name), { force: true });
}
