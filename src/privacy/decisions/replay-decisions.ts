import sql from 'sql-template-tag';
import { requestApproval } from '../../platform/approvals/index.js';
import type { Session } from '../../platform/database/session.js';
import type { LostDecision, LostLook } from './look-for-lost.js';

export interface RefusedDecision {
  readonly decision: LostDecision;
  readonly why: string;
  readonly next: string | null;
}

/** What was done about decisions that a restore has lost. */
export interface DecisionReplay {
  /** The request for approval that waits; null where it was granted. */
  readonly approval: string | null;
  readonly taken: number;
  readonly refused: readonly RefusedDecision[];
}

/**
 * Takes decisions again that a restore has lost, under a second operator's approval of exactly these: each takes from its row
 * what it says more than was decided, and gives nothing. What stands against one stops no other. Throws `not_allowed` where
 * the approval was refused.
 */
export async function replayDecisions(session: Session, look: LostLook): Promise<DecisionReplay> {
  const [decisions, leftOut, records] = [look.lost, look.left_out, look.records].map((part) =>
    JSON.stringify(part),
  );
  const { approvable } = await session.one<{ approvable: object }>(
    sql`select privacy.decisions_approvable(${decisions}::jsonb, ${leftOut}::jsonb, ${records}::jsonb) as approvable`,
  );
  const approval = await requestApproval(session, 'decision_replay', approvable);
  if (approval.state !== 'granted') return { approval: approval.id, taken: 0, refused: [] };
  const outcomes = await session.query<{
    place: number;
    outcome: 'taken' | 'as_it_was' | 'refused';
    why: string | null;
    next: string | null;
  }>(sql`select * from privacy.replay_decisions(${decisions}::jsonb, ${leftOut}::jsonb, ${records}::jsonb)`);
  return {
    approval: null,
    taken: outcomes.filter(({ outcome }) => outcome === 'taken').length,
    refused: outcomes.flatMap(({ place, outcome, why, next }) => {
      const decision = look.lost[place - 1];
      return outcome === 'refused' && decision !== undefined ? [{ decision, why: why ?? '', next }] : [];
    }),
  };
}
