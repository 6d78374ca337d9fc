import {
  appendShared,
  type Evidence,
  findStatement,
  type ListedRecord,
  openEvidence,
  shareChain,
} from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import { LEDGER_CHAIN } from './ledger-record.js';

export interface ErasureStatement {
  readonly type: string;
  readonly request: string;
  /** SHA-256 of the plan of the erasure, hex. */
  readonly plan: string;
  /** Whether what was signed before says it. */
  readonly isSaidBy: (content: Readonly<Record<string, unknown>>) => boolean;
  readonly say: (evidence: Evidence) => Promise<object>;
}

/**
 * Signs a statement about an erasure into the chain that all consoles of the context share; one that was signed before, by
 * a run that was cut off, is taken. Returns the record and its envelope. Throws what `appendShared` does.
 */
export async function signOnce(
  context: Context,
  { type, request, plan, isSaidBy, say }: ErasureStatement,
): Promise<{ readonly listed: ListedRecord; readonly envelope: string }> {
  const evidence = openEvidence(context);
  await shareChain(evidence, context, LEDGER_CHAIN);
  const find = () => findStatement(evidence, { chain: LEDGER_CHAIN, type }, isSaidBy);
  let listed = await find();
  if (listed === undefined) {
    await appendShared(evidence, context, {
      ...{ chain: LEDGER_CHAIN, type },
      subject: [{ name: `plan of the erasure that answers ${request}`, sha256: plan }],
      content: { ...(await say(evidence)) },
    });
    listed = await find();
  }
  const bytes = listed && (await evidence.store.read(LEDGER_CHAIN, listed.number));
  if (listed === undefined || bytes === undefined)
    throw new Error('a record that was just kept is not there');
  return { listed, envelope: bytes.toString('utf8') };
}
