import sql from 'sql-template-tag';
import type { Context } from '../../../platform/config/contexts.js';
import type { Session } from '../../../platform/database/session.js';
import { NestctlError } from '../../../platform/errors.js';
import { readOutside } from '../erasure.js';
import type { Handle } from './adapter.js';
import { adapterFor } from './adapters.js';

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  readonly tell?: ((what: string) => void) | undefined;
  /** Only these. */
  readonly recipients?: readonly string[];
}

/**
 * Has everybody outside for whom the context names an adapter erase a person of whom they had data, and puts down what became of
 * it. Each try is on record before it is made, and what kept it from being done after it: one does not stop the others, nor the
 * erasure. What is settled is asked nobody again.
 */
export async function followOutside(
  session: Session,
  context: Context,
  number: string,
  { signal, tell, recipients }: FollowOptions = {},
): Promise<void> {
  for (const { recipient, about, outcome } of await readOutside(session, number)) {
    if (outcome !== null || recipients?.includes(recipient) === false) continue;
    signal?.throwIfAborted();
    const adapter = await adapterFor(context, recipient);
    if (adapter === undefined) continue;
    tell?.(`asking ${about} to erase them`);
    const { tried } = await session.one<{ tried: { erasure: string; handles: Handle[] } | null }>(
      sql`select privacy.try_outside(${number}, ${recipient}) as tried`,
    );
    // Somebody settled it meanwhile.
    if (tried === null) continue;
    try {
      const answer = await adapter({ session, number, recipient, signal, ...tried });
      if (answer === undefined) continue;
      await session.query(
        sql`select privacy.settle_outside(${number}, ${recipient}, ${answer.outcome}, ${answer.reference})`,
      );
    } catch (error) {
      if (!(error instanceof NestctlError)) throw error;
      signal?.throwIfAborted();
      await session.query(sql`select privacy.outside_failed(${number}, ${recipient}, ${error.code})`);
    }
  }
}
