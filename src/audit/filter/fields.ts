import { raw, type Sql } from 'sql-template-tag';

/** How values of a field are written and compared. */
export type FieldKind =
  | 'text'
  | 'id'
  | 'number'
  | 'xid'
  | 'time'
  | 'operation'
  | 'category'
  | 'duty'
  | 'table'
  | 'list';

export const OPERATIONS = ['INSERT', 'UPDATE', 'DELETE'] as const;
export const CATEGORIES = ['modification', 'consent', 'emergency', 'access', 'authentication'] as const;

/** schema.table, of public where no schema is named. */
export function qualified(table: string): string {
  return table.includes('.') ? table : `public.${table}`;
}

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Every one of them is looked at: a person who did it, or whose row it is. */
  readonly columns: readonly Sql[];
  /**
   * Who may read it: `skeleton` all that read the log; `found` whoever reads more than the skeleton; `values` too, but
   * only through the view that masks them.
   */
  readonly part: 'skeleton' | 'found' | 'values';
  readonly aliases: readonly string[];
}

type Shape = readonly [
  kind: FieldKind,
  part: Field['part'],
  columns: readonly string[],
  ...aliases: string[],
];

/** What --where asks about, of `audit.events e` or `audit.readable_events e`. */
const SHAPES: Readonly<Record<string, Shape>> = {
  event: ['number', 'skeleton', ['e.id'], 'id'],
  time: ['time', 'skeleton', ['e.occurred_at'], 'occurred_at'],
  operation: ['operation', 'skeleton', ['e.operation'], 'what'],
  table: ['table', 'skeleton', ['e.table_name'], 'table_name'],
  category: ['category', 'skeleton', ['e.category']],
  login: ['text', 'skeleton', ['e.session_login'], 'session_login'],
  duty: ['duty', 'skeleton', ['e.duty']],
  request: ['text', 'skeleton', ['e.request_id'], 'request_id'],
  xid: ['xid', 'skeleton', ['e.xid'], 'transaction'],
  epoch: ['number', 'skeleton', ['e.epoch']],
  by: ['id', 'found', ['e.app_user'], 'app_user'],
  person: ['id', 'found', ['e.subject_user'], 'subject_user'],
  user: ['id', 'found', ['e.app_user', 'e.subject_user']],
  family: ['id', 'found', ['e.family_id'], 'family_id'],
  row: ['text', 'found', ['e.record_id', 'e.record_key'], 'record', 'key'],
  reason: ['text', 'found', ['e.reason']],
  ticket: ['text', 'found', ['e.ticket']],
  changed: ['list', 'values', ['e.changed_columns'], 'changed_columns'],
  erased: ['list', 'values', ['array_remove(e.erased_requests, null)'], 'erased_by'],
};

export const FIELDS: readonly Field[] = Object.entries(SHAPES).map(
  ([name, [kind, part, columns, ...aliases]]) => ({
    name,
    kind,
    part,
    columns: columns.map((column) => raw(column)),
    aliases,
  }),
);

/** A value in the row: `old.COLUMN` before, `new.COLUMN` after, `any.COLUMN` either. */
export const VALUE_PREFIXES: Readonly<Record<string, readonly ('before' | 'after')[]>> = {
  old: ['before'],
  before: ['before'],
  new: ['after'],
  after: ['after'],
  any: ['before', 'after'],
};

const NAMES: ReadonlyMap<string, Field> = new Map(
  FIELDS.flatMap((one) => [one.name, ...one.aliases].map((name): [string, Field] => [name, one])),
);

export function fieldNamed(name: string): Field | undefined {
  return NAMES.get(name.toLowerCase());
}

export function fieldNames(): string[] {
  return [...NAMES.keys(), 'old.COLUMN', 'new.COLUMN', 'any.COLUMN'];
}
