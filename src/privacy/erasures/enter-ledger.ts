import { isDeepStrictEqual } from 'node:util';
import sql from 'sql-template-tag';
import { openLedger } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { LEDGER_PURPOSE, LEDGER_RECORD, type LedgerRecord, spelledFor } from './ledger-record.js';
import { signOnce } from './sign-once.js';

interface Entry {
  /** The record, where it stands there already. */
  readonly ledger: string | null;
  readonly facts: Omit<LedgerRecord, 'identifiers'>;
  readonly identifiers: readonly (readonly [names: string, value: string])[] | null;
}

/**
 * Enters an erasure that has begun into the ledger, which outlives a restore of the database: signed and chained in the
 * evidence of the context, locked in its object store where it names one, and here. No row goes before. Killed at any moment,
 * the next call goes on with what was signed. Throws `no_ledger_key`, and what `signOnce` does.
 */
export async function enterLedger(session: Session, context: Context, number: string): Promise<void> {
  const { entry } = await session.one<{ entry: Entry }>(
    sql`select privacy.erasure_ledger(${number}) as entry`,
  );
  const { ledger, facts, identifiers } = entry;
  if (ledger !== null) return;
  const { envelope } = await signOnce(context, {
    ...{ type: LEDGER_RECORD, request: facts.request, plan: facts.plan },
    isSaidBy: ({ identifiers: _, ...said }) => isDeepStrictEqual(said, facts),
    say: async (evidence): Promise<LedgerRecord> => {
      const macs = await openLedger(evidence, LEDGER_PURPOSE);
      return {
        ...facts,
        identifiers: (identifiers ?? []).map(([names, value]) => ({
          names,
          ...macs.entry(spelledFor(names, value)),
        })),
      };
    },
  });
  await session.query(sql`select privacy.record_ledger(${number}, ${envelope})`);
}
