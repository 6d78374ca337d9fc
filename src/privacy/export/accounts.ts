import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { CODES } from './account-codes.js';
import { ABOUT } from './account-words.js';
import type { PackageSubject } from './exportable-request.js';
import type { Kind, PackageColumn, PackageTable } from './package-tables.js';

/** What a package tells of itself and of what was done with what it holds (PIPEDA principle 4.9.1). */
export type AccountName = 'account_of_use' | 'disclosures' | 'requests';

const SQL_TYPES = {
  time: 'timestamp with time zone',
  date: 'date',
  text: 'text',
  array: 'text[]',
  integer: 'integer',
  number: 'numeric',
} as const satisfies Partial<Record<Kind, string>>;

interface Field {
  readonly kind: keyof typeof SQL_TYPES;
  /** Typed by somebody, and so maybe of somebody else. */
  readonly free?: true;
  /** Where a row is told apart by it, among the places where others are severed. */
  readonly key?: true;
}

const FIELDS: Readonly<Record<AccountName, Readonly<Record<string, Field>>>> = {
  account_of_use: {
    at: { kind: 'time', key: true },
    until: { kind: 'time' },
    duty: { kind: 'text' },
    what: { kind: 'text' },
    operation: { kind: 'text' },
    tables: { kind: 'array' },
    scope: { kind: 'text' },
    why: { kind: 'text' },
    request: { kind: 'text' },
  },
  disclosures: {
    at: { kind: 'time', key: true },
    until: { kind: 'time' },
    ended_at: { kind: 'time' },
    told_on: { kind: 'date' },
    recipient: { kind: 'text', key: true },
    organization: { kind: 'text', free: true },
    what: { kind: 'text' },
    known: { kind: 'text' },
    data: { kind: 'array', free: true },
    region: { kind: 'text' },
    request: { kind: 'text' },
  },
  requests: {
    request: { kind: 'text', key: true },
    kind: { kind: 'text' },
    regime: { kind: 'text' },
    requester: { kind: 'text' },
    channel: { kind: 'text' },
    received_at: { kind: 'time' },
    due_on: { kind: 'date' },
    state: { kind: 'text' },
    at: { kind: 'time', key: true },
    event: { kind: 'text' },
    detail: { kind: 'text', free: true },
    reason: { kind: 'text' },
    on_day: { kind: 'date' },
    until: { kind: 'date' },
    days: { kind: 'integer' },
    amount: { kind: 'number' },
    told: { kind: 'text', free: true },
  },
};

/** The accounts of a package, in the snapshot at hand. Throws as `readPackageTables` does. */
export async function readAccounts(session: Session, { kind, id }: PackageSubject): Promise<PackageTable[]> {
  const rows = await session.query<{ account: AccountName; given: number }>(
    sql`select account, given::float8 as given from privacy.package_accounts(${id}::uuid, ${kind})`,
  );
  return rows.map(({ account, given }) => ({
    ...{ table: account, account, columns: columnsOf(account), given },
    ...{ of_children: 0, of_others: 0, entered: 0 },
  }));
}

function columnsOf(account: AccountName): PackageColumn[] {
  return Object.entries(FIELDS[account]).map(([name, { kind, free = false, key = false }]) => ({
    ...{ column_name: name, kind, spelled: SQL_TYPES[kind], free, in_key: key },
    ...{ whose: 'subject', subject: 'request', category: 'access_record', origin: 'account' },
    ...{ exported: true, withheld: null },
    about: ABOUT[account][name],
    codes: CODES[account][name],
  }));
}
