import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import {
  type Decision,
  type Decisions,
  type MoveRequest,
  type MoveWish,
  moveRequest,
  type SharedChoice,
} from './request.js';

interface MoveFamily {
  /** Null for the family that a split makes. */
  readonly id: string | null;
  readonly name: string;
  readonly archived_at: string | null;
}

/** How many rows of a table go where. `rows`: all that the giving family has. */
export interface MoveTable {
  readonly table: string;
  readonly rows: number;
  readonly moves: number;
  readonly copies: number;
  /** Rows of the receiving family that change places with one that comes. */
  readonly goes_back: number;
}

/** Rows that belong to no child alone. `open`: how many nobody has decided about. */
export interface SharedRows {
  readonly table: string;
  readonly rows: number;
  readonly moves: number;
  readonly copies: number;
  readonly open: number;
  /** The first fifty; `what`: the beginning of what support may read of the row. */
  readonly first: readonly {
    readonly key: string;
    readonly choice: SharedChoice | 'open';
    readonly what: string | null;
  }[];
}

/** Two rows that a unique index does not let be in one family; `other_key` null: the row cannot be copied. */
export interface MoveConflict {
  readonly table: string;
  readonly index: string;
  readonly key: string;
  readonly other_key: string | null;
  readonly choice: 'keep' | 'swap' | null;
  readonly what: string | null;
  readonly other: string | null;
}

/** A member of either family, and what a move changes for them. Roles are null where they are no member. */
export interface MovePerson {
  readonly user_id: string;
  readonly email: string;
  readonly from_before: string | null;
  readonly from_after: string | null;
  readonly to_before: string | null;
  readonly to_after: string | null;
  readonly more_children: number;
  readonly fewer_children: number;
  /** Kinds of rows, as permissions name them, that they would read of children of whom they do not read them now. */
  readonly newly_reads: readonly string[];
  readonly no_longer_reads: readonly string[];
}

export interface MovePlan {
  readonly kind: MoveWish['kind'];
  readonly from: MoveFamily;
  readonly to: MoveFamily;
  readonly children: readonly { readonly id: string; readonly name: string }[];
  readonly tables: readonly MoveTable[];
  readonly shared: readonly SharedRows[];
  readonly conflicts: readonly MoveConflict[];
  /** Links whose two ends part: `rows` rows of `table` no longer name one of `target`. */
  readonly cut: readonly {
    readonly table: string;
    readonly target: string;
    readonly column: string;
    readonly side: string;
    readonly rows: number;
  }[];
  readonly people: readonly MovePerson[];
  /** Why it cannot be made as it is; empty where it can. */
  readonly refusals: readonly {
    readonly code: string;
    readonly message: string;
    readonly table?: string;
    readonly key?: string;
  }[];
  readonly request: MoveRequest;
  /** SHA-256 of the rows, the tables and the decisions it was made from; the move is made to these and no others. */
  readonly hash: string;
}

/** What a merge, a split, a child's move or its undoing would do, and why it could not be done. Throws `not_found`. */
export async function planMove(
  session: Session,
  wish: MoveWish,
  decisions: Decisions = {},
): Promise<MovePlan> {
  const request = moveRequest(wish, decisions);
  const { plan } = await session.one<{ plan: Omit<MovePlan, 'request'> }>(
    sql`select ops.plan_move(${JSON.stringify(request)}::jsonb) as plan`,
  );
  return { ...plan, request };
}

/** The plan of undoing a move between two families. Throws `usage` where it was not between these. */
export async function planUndo(
  session: Session,
  undoes: string,
  families: { readonly from: string; readonly to: string },
  decisions: Decisions = {},
): Promise<MovePlan> {
  const plan = await planMove(session, { kind: 'undo', undoes }, decisions);
  if (plan.from.id === families.from && plan.to.id === families.to) return plan;
  throw new NestctlError(`Move ${undoes} is undone from family ${plan.from.id} to ${plan.to.id}.`, {
    kind: 'usage',
    code: 'other_families',
    next: `nestctl child move --undo ${undoes} --family ${plan.from.id} --to ${plan.to.id}`,
  });
}

/** Decisions about memberships, whose people are named by address or id. Throws `not_found` for who is no member. */
export async function memberDecisions(
  session: Session,
  family: string,
  wishes: readonly { readonly who: string; readonly choice: SharedChoice }[],
): Promise<Decision<SharedChoice>[]> {
  const members = await session.query<{ id: string; user_id: string; email: string }>(sql`
    select m.id, m.user_id, u.email from public.family_members m join public.users u on u.id = m.user_id where m.family_id = ${family}`);
  return wishes.map(({ who, choice }) => {
    const member = members.find(
      ({ user_id, email }) => user_id === who.toLowerCase() || email.toLowerCase() === who.toLowerCase(),
    );
    if (member !== undefined) return { table: 'family_members', key: member.id, choice };
    throw new NestctlError(`${who} is no member of family ${family}.`, {
      kind: 'not_found',
      next: `nestctl member list --family ${family}`,
    });
  });
}
