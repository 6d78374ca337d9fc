import { createHash } from 'node:crypto';
import type { Connection } from '../../src/platform/database/connection.js';

/** An event as sql/docs/audit-leaf.md speaks of it. Bytes are hex, json is its stored text. */
export interface AuditEvent {
  readonly id: string;
  readonly xid: string;
  /** Microseconds since 1970. */
  readonly occurred_at: string;
  readonly epoch: string;
  readonly category: string;
  readonly operation: string;
  readonly table_name: string;
  readonly session_login: string;
  readonly duty: string | null;
  readonly request_id: string | null;
  readonly app_user: string | null;
  readonly family_id: string | null;
  readonly subject_user: string | null;
  readonly record_id: string | null;
  readonly record_key: string | null;
  readonly changed_columns: readonly string[] | null;
  readonly old_row: string | null;
  readonly new_row: string | null;
  readonly named_columns: readonly string[] | null;
  readonly named_old: readonly (string | null)[] | null;
  readonly named_new: readonly (string | null)[] | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly salts: readonly (string | null)[];
  readonly leaf: string;
  readonly erased_hashes: readonly (string | null)[] | null;
  readonly erased_requests: readonly (string | null)[] | null;
}

const ABSENT = Buffer.from(':,');
const NO_PART = Buffer.alloc(32);
/** From 1970. */
const SECONDS_TO_2000 = 946_684_800n;

function netstring(value: string | Buffer | null | undefined): Buffer {
  if (value === null || value === undefined) return ABSENT;
  const bytes = Buffer.from(value as string, 'utf8');
  return Buffer.concat([Buffer.from(`${bytes.length}:`), bytes, Buffer.from(',')]);
}

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

/** Salt and content of a part, what its hash is taken of; undefined where the part is absent or erased. */
export function partPreimage(event: AuditEvent, part: number): Buffer | undefined {
  const salt = event.salts[part - 1];
  const fields = partFields(event, part);
  if (salt === null || salt === undefined || fields === undefined) return undefined;
  return Buffer.concat([Buffer.from(salt, 'hex'), ...fields.map(netstring)]);
}

function partFields(event: AuditEvent, part: number): (string | Buffer | null | undefined)[] | undefined {
  if (part === 1) return present([event.app_user]);
  if (part === 3) return present([event.reason, event.ticket]);
  if (part > 3) {
    const at = part - 4;
    return [event.named_columns?.[at], event.named_old?.[at], event.named_new?.[at]];
  }
  const changed = event.changed_columns && Buffer.concat(event.changed_columns.map(netstring));
  return present([
    event.family_id,
    event.subject_user,
    event.record_id,
    event.record_key,
    changed,
    event.old_row,
    event.new_row,
  ]);
}

const present = <T>(fields: (T | null)[]) => (fields.some((field) => field !== null) ? fields : undefined);

/** The hash of a part, hex; null where it is absent. */
export function partHash(event: AuditEvent, part: number): string | null {
  const erased = event.erased_hashes?.[part - 1];
  if (erased !== null && erased !== undefined) return erased;
  const preimage = partPreimage(event, part);
  return preimage === undefined ? null : sha256(preimage).toString('hex');
}

export const partCount = (event: AuditEvent): number => 3 + (event.named_columns?.length ?? 0);

/** What the leaf is the hash of. */
export function leafPreimage(event: AuditEvent): Buffer {
  const part = (number: number) => {
    const hash = partHash(event, number);
    return hash === null ? NO_PART : Buffer.from(hash, 'hex');
  };
  const clear = [
    event.operation,
    event.table_name,
    event.category,
    event.session_login,
    event.duty,
    event.request_id,
  ];
  return Buffer.concat([
    Buffer.of(0),
    Buffer.from('nestsync-audit-1'),
    part(1),
    part(3),
    integer(event.epoch, 4),
    integer(event.xid, 8),
    integer(String(BigInt(event.occurred_at) - SECONDS_TO_2000 * 1_000_000n), 8),
    ...clear.map(netstring),
    integer(event.id, 8),
    part(2),
    ...Array.from({ length: partCount(event) - 3 }, (_, at) => part(at + 4)),
  ]);
}

function integer(text: string, bytes: 4 | 8): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 4) buffer.writeInt32BE(Number(text));
  else buffer.writeBigUInt64BE(BigInt.asUintN(64, BigInt(text)));
  return buffer;
}

/** The leaf by the document alone, hex. */
export function leafOf(event: AuditEvent): string {
  return sha256(leafPreimage(event)).toString('hex');
}

const hexArray = (column: string) =>
  `(select array_agg(encode(b, 'hex') order by i) from unnest(${column}) with ordinality u (b, i)) as ${column}`;

/** Events in the order they were written, `where` on audit.events e. */
export function auditEvents(
  owner: Connection,
  where = 'true',
  values: readonly unknown[] = [],
): Promise<AuditEvent[]> {
  return owner.query<AuditEvent>(
    `select id::text, xid::text, (extract(epoch from occurred_at) * 1000000)::bigint::text as occurred_at,
       epoch::text, category, operation, table_name, session_login, duty, request_id, app_user, family_id,
       subject_user, record_id, record_key, changed_columns, old_row::text, new_row::text, named_columns,
       named_old, named_new, reason, ticket, ${hexArray('salts')}, encode(leaf, 'hex') as leaf,
       ${hexArray('erased_hashes')}, erased_requests
     from audit.events e where ${where} order by e.id`,
    values,
  );
}
