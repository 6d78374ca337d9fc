import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { promisify } from 'node:util';

/** A running process, told apart from a later one that got the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal only for the same process. */
  readonly start: string;
  /** Its command line, words separated by spaces. */
  readonly command: string;
}

/** The process of that id, undefined where there is none (a zombie is none). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  return platform() === 'linux' ? fromProc(pid) : fromPs(pid);
}

async function fromProc(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may itself hold spaces and parentheses. Then state is field 3, start field 22.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const [boot, command] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    return { pid, start: `${boot.trim()} ${fields[19]}`, command: command.replaceAll('\0', ' ').trim() };
  } catch {
    return undefined;
  }
}

async function fromPs(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'state=,lstart=,command=', '-p', String(pid)], {
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
    const found = /^\s*(\S+)\s+(\w{3} \w{3} +\d+ \S+ \d{4})\s+(.*)$/.exec(stdout.trim());
    if (found?.[1] === undefined || found[2] === undefined || found[1].startsWith('Z')) return undefined;
    return { pid, start: found[2], command: found[3] ?? '' };
  } catch {
    return undefined;
  }
}
