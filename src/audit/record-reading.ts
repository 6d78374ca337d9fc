import sql from 'sql-template-tag';
import type { Session } from '../platform/database/session.js';
import type { EventFilter } from './event-filter.js';

export type ReadingKind =
  | 'query'
  | 'show'
  | 'group'
  | 'history'
  | 'blame'
  | 'stats'
  | 'follow'
  | 'export'
  | 'archive';

export interface Reading {
  readonly kind: ReadingKind;
  readonly filter?: EventFilter;
  /** What else was asked: a number, an order, a format. */
  readonly more?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Another page of a question that was recorded: it is recorded once. */
  readonly goesOn?: boolean;
}

/**
 * Records who asks the log what, and has committed it when it returns: to be called on the primary before anything is
 * read. What was asked is in the log as the payload of an event, under a salted hash, never in its skeleton.
 */
export async function recordReading(session: Session, reading: Reading): Promise<void> {
  const { kind, filter = {}, more = {}, goesOn = false } = reading;
  const { where, ...rest } = filter;
  const question = JSON.stringify({ ...rest, where: where?.text, ...more });
  await session.query(sql`
    select audit.record_reading(${kind}, ${question}::jsonb, ${filter.family}::uuid, ${filter.user}::uuid, ${goesOn})`);
}
