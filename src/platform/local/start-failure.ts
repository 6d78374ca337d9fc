import { NestctlError } from '../errors.js';

/** All but `other` can be mended: by another port, a little patience, a new password, or starting it again. */
export type StartFailureReason = 'port_taken' | 'still_stopping' | 'wrong_password' | 'ended' | 'other';

/** The server did not start, or does not let its superuser in. */
export class StartFailure extends NestctlError {
  readonly reason: StartFailureReason;

  constructor(reason: StartFailureReason, why: string, logFolder: string) {
    super(`The local PostgreSQL did not start: ${why}.`, {
      kind: 'failure',
      code: reason === 'other' ? 'start_failed' : reason,
      hint: `Its log is in ${logFolder}.`,
    });
    this.reason = reason;
  }

  /** Reads the reason from what the server wrote before it ended. */
  static fromLog(log: string, ended: string, logFolder: string): StartFailure {
    const fatal = [...log.matchAll(/(?:FATAL|PANIC): {2}(.*)/g)].at(-1)?.[1];
    return new StartFailure(reasonIn(log), fatal ?? ended, logFolder);
  }
}

function reasonIn(log: string): StartFailureReason {
  if (/could not (bind|create any TCP\/IP)/.test(log)) return 'port_taken';
  if (/pre-existing shared memory block|lock file ".*" already exists/.test(log)) return 'still_stopping';
  return 'other';
}
