import sql from 'sql-template-tag';
import { type AuditEvent, type EventFilter, queryEvents, recordReading } from '../../audit/index.js';
import type { Session } from '../../platform/database/session.js';
import { showConsents } from './consent.js';

const PAGE = 500;

/** One turn in the life of a consent. */
export interface ConsentTurn {
  /** When it is to have happened; null where the record does not say. */
  readonly at: Date | null;
  readonly type: string;
  readonly status: string;
  readonly version: string | null;
  /** How it was given or withdrawn. */
  readonly method: string | null;
  /** `person`, an operator's or a service's login; null where the log does not know. */
  readonly by: string | null;
  readonly duty: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly record: string;
  /** The audit event; null for what was there before the log, or whose event has left it. */
  readonly event: string | null;
}

export interface ConsentHistory {
  /** The oldest first. */
  readonly turns: readonly ConsentTurn[];
  /** What the log lacks, in a sentence, where months of it are archived or pruned. */
  readonly lacks: string | undefined;
}

interface ConsentRecord {
  readonly id: string;
  readonly consent_type: string;
  readonly status: string;
  readonly consent_version: string;
  readonly consent_method: string | null;
  readonly given_at: Date;
  readonly withdrawn_at: Date | null;
  readonly how: string | null;
}

/**
 * Every consent that a person has given, denied or withdrawn, with who wrote it down: from the records, which are never
 * deleted, and from the audit log, whose reading is recorded first. Needs what `showConsents` does.
 */
export async function consentHistory(session: Session, person: string): Promise<ConsentHistory> {
  // Refuses whoever may not know, before anything is recorded as read.
  await showConsents(session, person);
  const filter = { user: person, table: 'public.consent_records' };
  const lacks = await recordReading(session, { kind: 'history', filter });
  const records = await session.query<ConsentRecord>(sql`
    select id, consent_type, status, consent_version, consent_method, coalesce(granted_at, created_at) as given_at, withdrawn_at,
      evidence #>> '{withdrawal,how}' as how
    from public.consent_records where user_id = ${person} order by created_at, id`);
  const events = await eventsOf(session, filter);
  const turns = records.flatMap((record) =>
    turnsOf(
      record,
      events.filter(({ record: id }) => id === record.id),
      person,
    ),
  );
  turns.push(...(await notificationTurns(session, person)));
  return { turns: turns.sort((one, other) => Number(one.at) - Number(other.at)), lacks };
}

/** Consent to notifications is given in the person's settings, which keep when, and lose it when it is withdrawn. */
async function notificationTurns(session: Session, person: string): Promise<ConsentTurn[]> {
  const [settings] = await session.query<{ id: string; consented_at: Date | null }>(
    sql`select id, consented_at from public.notification_preferences where user_id = ${person}`,
  );
  if (settings === undefined) return [];
  const events = await eventsOf(session, { user: person, table: 'public.notification_preferences' });
  const told = events.filter(({ after }) => after?.consented_at !== undefined);
  const turns = told.map((event): ConsentTurn => {
    const at = event.after?.consented_at;
    return {
      at: typeof at === 'string' ? new Date(at) : event.occurred_at,
      ...NOTIFICATIONS,
      status: at === null ? (event.operation === 'insert' ? 'none' : 'withdrawn') : 'granted',
      record: settings.id,
      ...writer(event, person),
    };
  });
  if (turns.length > 0 || settings.consented_at === null)
    return turns.filter(({ status }) => status !== 'none');
  return [
    {
      at: settings.consented_at,
      ...NOTIFICATIONS,
      status: 'granted',
      record: settings.id,
      ...writer(undefined, person),
    },
  ];
}

const NOTIFICATIONS = { type: 'notifications', version: null, method: null } as const;

async function eventsOf(session: Session, filter: EventFilter): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  let cursor: string | undefined;
  do {
    const page = await queryEvents(session, filter, { limit: PAGE, cursor, oldestFirst: true });
    events.push(...page.events);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return events;
}

function turnsOf(record: ConsentRecord, events: readonly AuditEvent[], person: string): ConsentTurn[] {
  const made = writer(
    events.find(({ operation }) => operation === 'insert'),
    person,
  );
  const changes = events.filter(
    ({ after, operation }) => operation === 'update' && after?.status !== undefined,
  );
  const same = { type: record.consent_type, version: record.consent_version, record: record.id };
  // How it stood when it was written down; before any change that the log knows of.
  const first = String(changes[0]?.before?.status ?? record.status);
  const given = { ...same, at: record.given_at, status: first, method: record.consent_method, ...made };
  const written: ConsentTurn[] =
    first === 'withdrawn'
      ? [
          { ...given, status: 'granted' },
          { ...given, at: record.withdrawn_at, method: record.how },
        ]
      : [given];
  return [
    ...written,
    ...changes.map(
      (event): ConsentTurn => ({
        ...same,
        at: event.occurred_at,
        status: String(event.after?.status),
        method: event.after?.status === 'withdrawn' ? record.how : record.consent_method,
        ...writer(event, person),
      }),
    ),
  ];
}

function writer(event: AuditEvent | undefined, person: string) {
  if (event === undefined) return { by: null, duty: null, reason: null, ticket: null, event: null };
  const { duty, reason, ticket, id } = event;
  const by = event.app_user === person ? 'person' : (event.app_user ?? event.session_login);
  return { by, duty, reason, ticket, event: id };
}
