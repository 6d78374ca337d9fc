import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { MovePlan, MoveTable } from './plan-move.js';

/** A move that was made. Its id is the request of its audit events. */
export interface Move {
  readonly move: string;
  readonly kind: MovePlan['kind'];
  readonly from: string;
  readonly to: string;
  readonly tables: readonly MoveTable[];
}

/** Throws `conflict` with every reason why a plan cannot be carried out as it is. */
export function refuseUndecided({ refusals }: MovePlan): void {
  if (refusals.length === 0) return;
  throw new NestctlError(refusals.map(({ message }) => message).join(' '), {
    kind: 'conflict',
    code: 'move_refused',
    hint: HINTS[refusals[0]?.code ?? ''] ?? 'Look at the whole plan with --dry-run.',
  });
}

/** Makes the very move that was planned, in one transaction that reads it back. Throws `conflict` where anything has changed since. */
export async function makeMove(session: Session, { request, hash }: MovePlan): Promise<Move> {
  const { done } = await session.one<{ done: Move }>(
    sql`select ops.make_move(${JSON.stringify(request)}::jsonb, ${hash}) as done`,
  );
  return done;
}

const HINTS: Readonly<Record<string, string>> = {
  undecided:
    'Decide for each table, or row by row: --shared inventory_items=stay, --shared inventory_items:ID=move, --shared all=stay.',
  conflict:
    'Decide: --conflict family_members=keep leaves the row that comes behind, =swap lets the two change places.',
  not_copied: 'Let it stay or move instead of copying it.',
  no_core:
    'Let a family_core member come along: --member WHO=move or =copy; or give the role first: nestctl member set-role.',
  not_covered: 'A migration has to say how rows of these tables belong to a family before anything moves.',
  inseparable: 'Let these rows go the same way.',
};
