import { expect } from 'vitest';
import type { Connection } from '../../src/platform/database/connection.js';
import { type AuditEvent, auditEvents, leafOf } from './audit-leaf.js';

interface CapturedTable {
  readonly name: string;
  readonly named: readonly string[];
  readonly redacted: readonly string[];
  readonly keys: readonly string[];
}

type Row = Readonly<Record<string, unknown>>;
type State = ReadonlyMap<string, ReadonlyMap<string, Row>>;

/** What an event must say, apart from who and when. */
type Expected = Pick<
  AuditEvent,
  | 'table_name'
  | 'operation'
  | 'family_id'
  | 'subject_user'
  | 'record_id'
  | 'record_key'
  | 'changed_columns'
  | 'named_columns'
  | 'named_old'
  | 'named_new'
> & { readonly old_row: Row | null; readonly new_row: Row | null };

/**
 * Says which events a piece of work must have left: the difference between all captured tables before and after
 * it, row by row. Knows nothing of how capture works.
 */
export class AuditOracle {
  readonly #owner: Connection;
  readonly tables: readonly CapturedTable[];

  private constructor(owner: Connection, tables: readonly CapturedTable[]) {
    this.#owner = owner;
    this.tables = tables;
  }

  /** `owner` is set to print values as events do. */
  static async over(owner: Connection): Promise<AuditOracle> {
    await owner.query(`select set_config('intervalstyle', 'iso_8601', false)`);
    const tables = await owner.query<CapturedTable>(`
      select n.nspname || '.' || c.relname as name, t.named_columns as named, t.redacted_columns as redacted,
        (select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum))
         from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
         where i.indrelid = c.oid and i.indisprimary) as keys
      from audit.captured_tables t join pg_class c on c.oid = t.table_name join pg_namespace n on n.oid = c.relnamespace
      order by 1`);
    return new AuditOracle(owner, tables);
  }

  /** Runs the work and checks that it left exactly its events, each with a leaf that verifies; returns them. */
  async watch(work: () => Promise<unknown>): Promise<AuditEvent[]> {
    const before = await this.#state();
    const { last } = await this.#owner.one<{ last: string }>(
      'select coalesce(max(id), 0)::text as last from audit.events',
    );
    await work();
    const after = await this.#state();
    const events = await auditEvents(this.#owner, 'id > $1', [last]);
    expect(sorted(events.map(said))).toEqual(sorted(this.#difference(before, after)));
    for (const event of events) expect(leafOf(event)).toBe(event.leaf);
    return events;
  }

  async #state(): Promise<State> {
    const state = new Map<string, ReadonlyMap<string, Row>>();
    for (const { name, keys } of this.tables) {
      const rows = await this.#owner.query<{ row: Row }>(`select row_to_json(t) as row from ${name} t`);
      state.set(name, new Map(rows.map(({ row }) => [keys.map((key) => row[key]).join('/'), row])));
    }
    return state;
  }

  #difference(before: State, after: State): Expected[] {
    return this.tables.flatMap((table) => {
      const [was, is] = [before.get(table.name) ?? new Map(), after.get(table.name) ?? new Map()];
      return [...new Set([...was.keys(), ...is.keys()])].flatMap((key) => {
        const [old, now] = [was.get(key), is.get(key)];
        if (JSON.stringify(old) === JSON.stringify(now)) return [];
        return [expected(table, key, old, now)];
      });
    });
  }
}

function expected(table: CapturedTable, key: string, old: Row | undefined, now: Row | undefined): Expected {
  const row = now ?? old ?? {};
  const hidden = [...table.named, ...table.redacted];
  const columns = Object.keys(row);
  const changed =
    old && now ? columns.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name])) : columns;
  const shown = changed.filter((name) => !hidden.includes(name));
  const pick = (from: Row | undefined) =>
    from === undefined || shown.length === 0
      ? null
      : Object.fromEntries(shown.map((name) => [name, from[name]]));
  const naming = table.named.some((name) => changed.includes(name)) ? table.named : null;
  const values = (from: Row | undefined) =>
    naming && from && naming.map((name) => (from[name] ?? null) as string | null);
  const byId = uuid(row.id) !== null && table.keys.includes('id');
  return {
    table_name: table.name,
    operation: old === undefined ? 'INSERT' : now === undefined ? 'DELETE' : 'UPDATE',
    family_id: table.name === 'public.families' ? uuid(row.id) : uuid(row.family_id),
    subject_user: subjectOf(table.name, row),
    record_id: byId ? uuid(row.id) : null,
    record_key: byId ? null : key,
    changed_columns: old && now ? changed : null,
    old_row: pick(old),
    new_row: pick(now),
    named_columns: naming,
    named_old: values(old) ?? null,
    named_new: values(now) ?? null,
  };
}

const uuid = (value: unknown) => (typeof value === 'string' ? value : null);

function subjectOf(table: string, row: Row): string | null {
  if (table === 'public.users') return uuid(row.id);
  // Whom it erased stands in its request alone.
  return table === 'privacy.erasures' ? null : uuid(row.user_id ?? row.person);
}

function said(event: AuditEvent): Expected {
  const { table_name, operation, family_id, subject_user, record_id, record_key } = event;
  const { changed_columns, named_columns, named_old, named_new } = event;
  const json = (text: string | null) => (text === null ? null : (JSON.parse(text) as Row));
  return {
    table_name,
    operation,
    family_id,
    subject_user,
    record_id,
    record_key,
    changed_columns,
    old_row: json(event.old_row),
    new_row: json(event.new_row),
    named_columns,
    named_old,
    named_new,
  };
}

const sorted = (events: readonly Expected[]) => [...events].sort((a, b) => order(a).localeCompare(order(b)));
const order = ({ table_name, operation, record_id, record_key }: Expected) =>
  [table_name, operation, record_id, record_key].join(' ');
