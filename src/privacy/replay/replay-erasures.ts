import sql from 'sql-template-tag';
import { openEvidence } from '../../evidence/index.js';
import { requestApproval } from '../../platform/approvals/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { Erasure } from '../erasures/erasure.js';
import { ledgerRecords } from '../erasures/ledger-record.js';
import { type RunOptions, runErasure } from '../erasures/run-erasure.js';
import type { Look, LookOptions, Returned } from './look-for-returned.js';

/** What was done about an entry whose person is back. */
export interface Replayed {
  readonly record: string;
  readonly person: string;
  /** erased: to its end, as `erasure` says; pending: a second operator has to approve it; refused: `why`. */
  readonly outcome: 'erased' | 'pending' | 'refused';
  readonly erasure: Erasure | null;
  /** The request for approval that waits. */
  readonly approval: string | null;
  readonly why: string | null;
  readonly next: string | null;
  /** Families that it has left without a family_core member. */
  readonly coreless: readonly string[];
}

/** Erases again whoever is back, each under a second operator's approval, and goes on with what was begun. What stands against one does not stop the others. */
export async function replayErasures(
  session: Session,
  context: Context,
  look: Look,
  options: RunOptions & LookOptions,
): Promise<Replayed[]> {
  const envelopes = new Map(
    (await ledgerRecords(openEvidence(context))).map((entry) => [entry.record, entry.envelope]),
  );
  const replayed: Replayed[] = [];
  for (const entry of look.returned) {
    options.signal?.throwIfAborted();
    if (entry.state !== 'back' && entry.state !== 'unfinished') continue;
    replayed.push(await replayOne(session, context, entry, envelopes.get(entry.record) ?? '', options));
  }
  return replayed;
}

async function replayOne(
  session: Session,
  context: Context,
  { record, person, families, run }: Returned,
  envelope: string,
  options: RunOptions,
): Promise<Replayed> {
  const told = { record, person: person ?? '', erasure: null, approval: null, why: null, next: null };
  try {
    if (run === null) {
      const { approvable } = await session.one<{ approvable: object }>(
        sql`select privacy.replay_approvable(${record}, ${envelope}, ${person}, ${families}::uuid[]) as approvable`,
      );
      const approval = await requestApproval(session, 'erasure', approvable);
      if (approval.state !== 'granted')
        return { ...told, outcome: 'pending', approval: approval.id, coreless: [] };
      await session.query(
        sql`select privacy.replay_erasure(${record}, ${envelope}, ${person}, ${families}::uuid[])`,
      );
    }
    const erasure = await runErasure(session, context, run ?? record, options);
    const { coreless } = await session.one<{ coreless: string[] }>(
      sql`select privacy.coreless_families(${run ?? record}) as coreless`,
    );
    return { ...told, outcome: 'erased', erasure, coreless };
  } catch (error) {
    if (!(error instanceof NestctlError) || error.exitCode === 130) throw error;
    const { message, next } = error;
    return { ...told, outcome: 'refused', why: message, next: next ?? null, coreless: [] };
  }
}
