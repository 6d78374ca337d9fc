import { NestctlError } from './errors.js';

const SENTENCES: Readonly<Record<string, readonly [message: string, code: string, hint?: string]>> = {
  EACCES: ['may not be used by this user', 'file_denied', 'Check its permissions and those of its folders.'],
  EPERM: ['may not be used by this user', 'file_denied', 'Check its owner and attributes.'],
  ENOENT: ['is not there', 'file_missing'],
  ENOTDIR: ['lies below something that is no folder', 'file_missing'],
  EISDIR: ['is a folder, not a file', 'file_is_folder'],
  EEXIST: ['is there already', 'file_exists'],
  ENOTEMPTY: ['is a folder that is not empty', 'file_exists'],
  ENOSPC: ['does not fit: the disk is full', 'disk_full', 'Make room, then run the command again.'],
  EDQUOT: ['does not fit: the quota of this user is used up', 'disk_full', 'Make room, then run it again.'],
  EROFS: ['lies on a disk that is mounted read-only', 'file_denied'],
  EIO: ['could not be read or written: the disk reports an error', 'disk_failing', 'Look at the system log.'],
  EMFILE: ['could not be opened: too many files are open', 'too_many_files', 'Raise the limit (ulimit -n).'],
  ENFILE: ['could not be opened: too many files are open on this machine', 'too_many_files'],
  ELOOP: ['is a link that leads back to itself', 'file_missing'],
  ENAMETOOLONG: ['has too long a name', 'file_missing'],
};

/** An error of the operating system about a file or program as a sentence; undefined where it is another kind. */
export function systemError(error: unknown): NestctlError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  const number = String(error.code);
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const known = SENTENCES[number];
  if (known === undefined) {
    const what = path === undefined ? '' : ` ${path}`;
    return new NestctlError(`The system refused ${String(error.syscall)}${what} (${number}).`, {
      kind: 'failure',
      code: 'system_error',
    });
  }
  const [message, code, hint] = known;
  return new NestctlError(`${path ?? 'A file'} ${message} (${number}).`, { kind: 'failure', code, hint });
}
