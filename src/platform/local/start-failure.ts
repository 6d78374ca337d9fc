import { NestctlError } from '../errors.js';

/** The server ended while it was starting. */
export class StartFailure extends NestctlError {
  /** Whether another try, on another port or a little later, may succeed. */
  readonly reason: 'port_taken' | 'still_stopping' | 'other';

  /** `log`: what the server wrote since it was started; `ended`: how it ended. */
  constructor(log: string, ended: string, folder: string) {
    const fatal = [...log.matchAll(/(?:FATAL|PANIC): {2}(.*)/g)].at(-1)?.[1];
    super(`The local PostgreSQL did not start: ${fatal ?? ended}.`, {
      kind: 'failure',
      code: 'start_failed',
      hint: `Its log is in ${folder}.`,
    });
    if (/could not (bind|create any TCP\/IP)/.test(log)) this.reason = 'port_taken';
    else if (/pre-existing shared memory block|lock file ".*" already exists/.test(log))
      this.reason = 'still_stopping';
    else this.reason = 'other';
  }
}
