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
  /** Whether it is asked of archived months too; undefined where it cannot be. */
  readonly archive?: boolean | undefined;
}

/** Months named in a warning. */
const NAMED = 6;

/**
 * Records who asks the log what, and has committed it when it returns: to be called on the primary before anything is
 * read. What was asked is in the log as the payload of an event, under a salted hash, never in its skeleton.
 * Returns what the answer will lack, in a sentence, where months of its span are archived or pruned.
 */
export async function recordReading(session: Session, reading: Reading): Promise<string | undefined> {
  const { kind, filter = {}, more = {}, goesOn = false, archive } = reading;
  const { where, ...rest } = filter;
  const question = JSON.stringify({
    ...rest,
    where: where?.text,
    ...more,
    ...(archive === true && { archive }),
  });
  const { archived, pruned } = await session.one<{ archived: string[]; pruned: string[] }>(sql`
    select audit.archived_months(${filter.since}::timestamptz, ${filter.until}::timestamptz) as archived,
      audit.pruned_months(${filter.since}::timestamptz, ${filter.until}::timestamptz) as pruned,
      audit.record_reading(${kind}, ${question}::jsonb, ${filter.family}::uuid, ${filter.user}::uuid, ${goesOn})`);
  const unread = archive === true ? [] : archived;
  const sentences = [
    ...(unread.length > 0 ? [`Archived months are not looked into: ${named(unread)}.`] : []),
    ...(pruned.length > 0 ? [`Months whose years are over were pruned: ${named(pruned)}.`] : []),
  ];
  if (sentences.length === 0) return undefined;
  const way =
    unread.length > 0 && archive === false ? ': --include-archive reads those that are archived' : '';
  return `${sentences.join(' ')} The answer lacks their events${way}.`;
}

const named = (months: readonly string[]) =>
  months.length > NAMED ? `${months.slice(0, NAMED).join(', ')} and more` : months.join(', ');
