import { setTimeout as sleep } from 'node:timers/promises';
import sql from 'sql-template-tag';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { enterLedger } from './enter-ledger.js';
import { type Erasure, readErasure } from './erasure.js';
import { followOutside } from './outside/follow-outside.js';
import { closeErasure, proveErasure } from './prove-erasure.js';

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told before what takes long and cannot be counted. */
  readonly tell?: ((what: string) => void) | undefined;
  /** Told of each batch: the table, what is done to it, and the rows so far in this run. */
  readonly onBatch?:
    | ((batch: { readonly table: string; readonly does: string; readonly rows: number }) => void)
    | undefined;
}

/** Rows of one transaction: few enough that nobody waits long for a lock of it. */
const BATCH = 5_000;
/** What passes by itself: somebody else was at the same rows. */
const PASSING = new Set(['deadlock', 'lock_timeout', 'serialization']);
const [TRIES, PAUSE] = [20, 250];

interface Batch {
  readonly table_name: string;
  readonly does: string;
  readonly done: number;
}

/**
 * Runs an erasure that is due, or goes on with one that was cut off: enters it into the ledger, erases batch by batch, each a
 * transaction with its record, has those outside follow for whom there is an adapter, and looks for what is left. Cut off at any moment, the next call goes on. Throws `conflict` where
 * something stands against it, or what was planned is not what is there any more, and what `enterLedger` does.
 */
export async function runErasure(
  session: Session,
  context: Context,
  number: string,
  { signal, tell, onBatch }: RunOptions = {},
): Promise<Erasure> {
  await patiently(() => session.query(sql`select privacy.begin_erasure(${number})`), signal);
  tell?.('entering it into the ledger');
  await enterLedger(session, context, number);
  // While its tables still name whose they are, and before the account that they hang on.
  await followOutside(session, context, number, { signal, tell, recipients: ['storage'] });
  for (let rows = 0; ; ) {
    signal?.throwIfAborted();
    const [batch] = await patiently(
      () =>
        session.query<Batch>(
          sql`select table_name, does, done from privacy.erase_batch(${number}, ${BATCH}::integer)`,
        ),
      signal,
    );
    if (batch === undefined) break;
    rows += batch.done;
    onBatch?.({ table: batch.table_name, does: batch.does, rows });
  }
  await followOutside(session, context, number, { signal, tell });
  const { state } = await readErasure(session, number);
  tell?.('looking for what is left');
  return state === 'erased' ? await proveErasure(session, number) : await closeErasure(session, number);
}

async function patiently<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof NestctlError && PASSING.has(error.code);
      if (!passing || tries === TRIES) throw error;
      await sleep(PAUSE * Math.min(tries, 8), undefined, { signal });
    }
  }
}
