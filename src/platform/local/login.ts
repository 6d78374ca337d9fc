import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { SUPERUSER } from './identities.js';
import { StartFailure } from './start-failure.js';

/** How long a started server may take to listen. Replaying WAL comes after that, and takes what it takes. */
const SILENCE_MS = 60_000;

export interface LoginOptions {
  readonly port: number;
  /** Of the superuser `postgres`; the server counts as up once it lets that login in. */
  readonly password: string;
  /** Called once, when the server answers but is still replaying WAL after a crash. */
  readonly onRecovery?: (() => void) | undefined;
  /** Why no login can be hoped for any more, undefined while it can. */
  readonly failure: () => Promise<StartFailure | undefined>;
  readonly logFolder: string;
}

/** Waits until the superuser gets in, which says more than any exit code. Throws StartFailure. */
export async function awaitLogin(options: LoginOptions): Promise<void> {
  const { port, failure, logFolder } = options;
  const begun = Date.now();
  for (let told = false; ; await sleep(15)) {
    const failed = await failure();
    if (failed !== undefined) throw failed;
    const answer = await tryLogin(port, options.password);
    if (answer === 'in') return;
    if (answer === 'refused') {
      // It may be another server, which took the port first: ours then ends in a moment.
      await sleep(1_000);
      const why = 'it does not take the password that was kept for it';
      throw (await failure()) ?? new StartFailure('wrong_password', why, logFolder);
    }
    // Every start passes through this for a moment.
    if (answer === 'recovering' && !told && Date.now() > begun + 1_000) {
      told = true;
      options.onRecovery?.();
    }
    if (answer === 'not yet' && Date.now() > begun + SILENCE_MS) {
      throw new StartFailure('other', `it gives no answer on port ${port}`, logFolder);
    }
  }
}

type Answer = 'in' | 'not yet' | 'recovering' | 'refused';

async function tryLogin(port: number, password: string): Promise<Answer> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password,
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return 'in';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === '28P01') return 'refused';
    return code === '57P03' ? 'recovering' : 'not yet';
  }
}
