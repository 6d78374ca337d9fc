import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { LEDGER_CHAIN } from './ledger-record.js';

/** PIPEDA has no bare right to erasure: 4.3.8, 4.5.3, and 4.9.5 or P-39.1 s. 28 for the last two. */
export type ErasureGround = 'consent_withdrawn' | 'purpose_ended' | 'unlawful' | 'inaccurate';

/**
 * scheduled: it can be cancelled; due: it can be run; running: begun, and not at its end; erased: no step has rows left, and
 * that nothing else holds anything of them is not proven; proven: it is, and archives or others outside have still to follow;
 * complete: they have.
 */
export type ErasureState = 'scheduled' | 'due' | 'cancelled' | 'running' | 'erased' | 'proven' | 'complete';

/** Something of a person that was found after their erasure: where, never what. */
export interface Residue {
  /** With its schema. Of statistics: pg_catalog.pg_stats. */
  readonly table: string;
  /** Null for a table that could not be read; of statistics the column they are of, with its table. */
  readonly column: string | null;
  /** By what they were found: id, email, phone, name … */
  readonly names: string | null;
  readonly rows: number | null;
  /**
   * residue: theirs; possible: a name in what somebody wrote, theirs or somebody else's; unread: the table could not be read;
   * looked_at: somebody has seen that nothing there is theirs; namesake: somebody else is called so; kept: under an obligation.
   */
  readonly state: 'residue' | 'possible' | 'unread' | 'looked_at' | 'namesake' | 'kept';
  /** Why it could not be read. */
  readonly why: string | null;
}

export interface Proof {
  /** RFC 3339. */
  readonly scanned_at: string;
  readonly scanned_by: string;
  readonly found: readonly Residue[];
}

/** Who else had data of theirs from us. */
export interface OutsideStep {
  readonly recipient: string;
  readonly about: string;
  /** Null: not settled. */
  readonly outcome: 'erased' | 'not_held' | 'kept' | null;
  readonly reference: string | null;
  readonly settled_at: Date | null;
  readonly settled_by: string | null;
  /** How often an adapter asked them. */
  readonly tries: number;
  readonly tried_at: Date | null;
  /** The code of what kept the last try from being done. */
  readonly failure: string | null;
}

export interface Erasure {
  /** Of the request that it answers. */
  readonly request: string;
  readonly person: string;
  /** Families that go with the person. */
  readonly families: readonly string[];
  readonly ground: ErasureGround;
  readonly state: ErasureState;
  /** SHA-256 of the plan that was approved, hex. */
  readonly plan_hash: string;
  readonly approval: string;
  readonly scheduled_at: Date;
  readonly scheduled_by: string;
  /** From then on it is run, and until then it can be cancelled. */
  readonly due_at: Date;
  readonly cancelled_at: Date | null;
  readonly cancelled_by: string | null;
  readonly begun_at: Date | null;
  readonly begun_by: string | null;
  readonly erased_at: Date | null;
  /** What the last look for what is left has found. */
  readonly proof: Proof | null;
  readonly proven_at: Date | null;
  readonly certified_at: Date | null;
  readonly closed_at: Date | null;
}

/** What a step has done, over all runs. */
export interface ErasureProgress {
  readonly table: string;
  readonly rows_of: string;
  readonly does: 'delete' | 'anonymize' | 'sever' | 'refresh';
  readonly columns: readonly string[];
  readonly rows: number;
  readonly done: boolean;
}

/** Those that are neither cancelled nor complete; or all. What is due first comes first. */
export async function listErasures(
  session: Session,
  { ended }: { readonly ended: boolean },
): Promise<Erasure[]> {
  return await queryErasures(session, sql`${ended} or e.cancelled_at is null and e.closed_at is null`);
}

/** The erasure that a request scheduled, the last where one was cancelled before; or that replays a record of the ledger. Throws `not_found`. */
export async function readErasure(session: Session, number: string): Promise<Erasure> {
  const erasures = await queryErasures(session, sql`e.request = ${number}`);
  const erasure = erasures.find(({ state }) => state !== 'cancelled') ?? erasures.at(-1);
  if (erasure !== undefined) return erasure;
  if (number.startsWith(`${LEDGER_CHAIN}/`))
    throw new NestctlError(`No erasure here replays ${number}.`, {
      kind: 'not_found',
      next: 'nestctl erasure list --all',
    });
  throw new NestctlError(`Request ${number} has scheduled no erasure.`, {
    kind: 'not_found',
    next: `nestctl erasure plan ${number}`,
  });
}

export async function readProgress(session: Session, number: string): Promise<ErasureProgress[]> {
  return await session.query<ErasureProgress>(sql`
    select s.table_name as "table", s.rows_of, s.does, s.columns, s.rows::float8 as rows, s.done_at is not null as done
    from privacy.erasure_steps s join privacy.erasures e on e.id = s.erasure_id
    where e.request = ${number} and e.cancelled_at is null order by s.at`);
}

/** Whom else it takes, and what became of it there. */
export async function readOutside(session: Session, number: string): Promise<OutsideStep[]> {
  return await session.query<OutsideStep>(sql`
    select o.recipient, r.about, o.outcome, o.reference, o.settled_at, o.settled_by, o.tries, o.tried_at, o.failure
    from privacy.erasure_outside o join privacy.recipients r using (recipient) join privacy.erasures e on e.id = o.erasure_id
    where e.request = ${number} and e.cancelled_at is null order by o.recipient`);
}

async function queryErasures(session: Session, condition: Sql): Promise<Erasure[]> {
  return await session.query<Erasure>(sql`
    select e.request, e.person, e.families, e.ground,
      case when e.cancelled_at is not null then 'cancelled' when e.closed_at is not null then 'complete'
        when e.proven_at is not null then 'proven' when e.erased_at is not null then 'erased' when e.begun_at is not null then 'running'
        when e.due_at <= clock_timestamp() then 'due' else 'scheduled' end as state,
      e.plan_hash, e.approval_id as approval, e.scheduled_at, e.scheduled_by, e.due_at, e.cancelled_at, e.cancelled_by, e.begun_at, e.begun_by, e.erased_at,
      e.proof, e.proven_at, e.certified_at, e.closed_at
    from privacy.erasures e where ${condition}
    order by e.due_at, e.request, e.scheduled_at`);
}
