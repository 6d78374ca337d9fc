import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/platform/database/connection.js';
import { sqlPath } from '../../src/platform/package-root.js';
import {
  type AuditEvent,
  leafOf,
  leafPreimage,
  partCount,
  partHash,
  partPreimage,
} from '../support/audit-leaf.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

interface Vector {
  readonly title: string;
  readonly event: AuditEvent;
  readonly parts: readonly {
    readonly part: number;
    readonly preimage: string | null;
    readonly hash: string | null;
  }[];
  readonly preimage: string;
  readonly leaf: string;
}

const { vectors } = JSON.parse(readFileSync(sqlPath('docs', 'audit-leaf-vectors.json'), 'utf8')) as {
  vectors: Vector[];
};

let database: TestDatabase;
let owner: Connection;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await connect(database.owner);
});
afterAll(async () => {
  await owner?.close();
  await database?.drop();
});

/** The event as a value of the row type, json and bytes as they are. */
const rowOf = (event: AuditEvent) => ({
  sql: `row($1::bigint, $2::xid8, timestamptz 'epoch' + $3 * interval '1 microsecond', $4::integer, $5::audit.category,
    $6::audit.operation, $7::text, $8::text, $9::text, $10::text, $11::uuid, $12::uuid, $13::uuid, $14::uuid, $15::text,
    $16::text[], $17::json, $18::json, $19::text[], $20::text[], $21::text[], $22::text, $23::text, $24::bytea[], $25::bytea,
    $26::bytea[], $27::text[])::audit.events`,
  values: [
    event.id,
    event.xid,
    event.occurred_at,
    event.epoch,
    event.category,
    event.operation,
    event.table_name,
    event.session_login,
    event.duty,
    event.request_id,
    event.app_user,
    event.family_id,
    event.subject_user,
    event.record_id,
    event.record_key,
    event.changed_columns,
    event.old_row,
    event.new_row,
    event.named_columns,
    event.named_old,
    event.named_new,
    event.reason,
    event.ticket,
    bytes(event.salts),
    Buffer.from(event.leaf, 'hex'),
    bytes(event.erased_hashes),
    event.erased_requests,
  ],
});
const bytes = (list: readonly (string | null)[] | null) =>
  list?.map((hex) => (hex === null ? null : Buffer.from(hex, 'hex'))) ?? null;

describe.each(vectors)('vector: $title', ({ event, parts, preimage, leaf }) => {
  it('follows from the document', () => {
    expect(parts).toHaveLength(partCount(event));
    for (const { part, preimage: bytes, hash } of parts) {
      expect(partPreimage(event, part)?.toString('hex') ?? null).toBe(bytes);
      expect(partHash(event, part)).toBe(hash);
    }
    expect(leafPreimage(event).toString('hex')).toBe(preimage);
    expect(leafOf(event)).toBe(leaf);
    expect(event.leaf).toBe(leaf);
  });

  it('is what audit.leaf_of and audit.part_hash say', async () => {
    const { sql, values } = rowOf(event);
    const { computed, hashes } = await owner.one<{ computed: string; hashes: (string | null)[] }>(
      `select encode(audit.leaf_of(e), 'hex') as computed,
         (select array_agg(encode(audit.part_hash(e, part), 'hex') order by part) from generate_series(1, ${parts.length}) part) as hashes
       from (select (${sql}).*) e`,
      values,
    );
    expect(computed).toBe(leaf);
    expect(hashes).toEqual(parts.map(({ hash }) => hash));
  });
});

describe('the vectors', () => {
  it('hold an erased form of events that verify, with the very same leaf', () => {
    const erased = vectors.filter(({ event }) => event.erased_hashes !== null);
    expect(erased.length).toBeGreaterThanOrEqual(3);
    for (const one of erased) {
      const whole = vectors.find(({ event }) => event.id === one.event.id && event.erased_hashes === null);
      expect(one.leaf).toBe(whole?.leaf);
      expect(one.preimage).toBe(whole?.preimage);
    }
  });

  it('differ in their leaf wherever one byte of the event differs', () => {
    for (const { event, leaf } of vectors.filter((one) => one.event.erased_hashes === null)) {
      for (const changed of oneByteOff(event)) expect(leafOf(changed)).not.toBe(leaf);
    }
  });
});

/** The event with each of its fields changed a little, one at a time. */
function oneByteOff(event: AuditEvent): AuditEvent[] {
  const fields = Object.entries(event).filter(
    ([name, value]) => value !== null && !['leaf', 'erased_hashes', 'erased_requests'].includes(name),
  );
  return fields.flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.flatMap((item: string | null, at) =>
          item === null ? [] : [{ ...event, [name]: value.with(at, bump(item)) }],
        )
      : [{ ...event, [name]: bump(String(value)) }],
  );
}

const bump = (text: string) => (text.endsWith('0') ? `${text.slice(0, -1)}1` : `${text.slice(0, -1)}0`);
