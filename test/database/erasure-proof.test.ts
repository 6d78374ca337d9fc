import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { type Erasure, openResidue, proveErasure, readErasure } from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  approveErasure,
  begin,
  enterUnsigned,
  eraseAll,
  letTimePass,
  makeOfficers,
  schedule,
  unguarded,
} from '../support/erasures.js';
import { asCompliance, openRequestOf } from '../support/packages.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let officer: ConnectionTarget;
let second: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  [officer, second] = await makeOfficers(database);
});
afterAll(() => database?.drop());

/** A grandmother who is to be erased, due, in a session that may. */
async function due(work: (session: Session, number: string, family: SmallFamily) => Promise<void>) {
  const family = await makeFamily(database, { name: 'Nadeau', person: 'Fleurange Nadeau' });
  await asCompliance(officer, family.gran.id, async (session) => {
    const number = await openRequestOf(session, family.gran.id, { kind: 'deletion' });
    await approveErasure(session, second, number);
    await schedule(session, number);
    await letTimePass(database, number);
    await work(session, number, family);
  });
}

describe('the ledger', () => {
  test('no row goes before it is entered, of exactly this erasure and with all by whom they are known', () =>
    due(async (session, number) => {
      await session.query('select privacy.begin_erasure($1)', [number]);
      await expect(eraseAll(session, number)).rejects.toThrow(/ledger/);
      await expect(session.query('select privacy.cancel_erasure($1)', [number])).rejects.toThrow(/began/);
      const refused = /not of exactly/;
      await expect(
        enterUnsigned(session, number, (all) => ({ ...all, plan: '0'.repeat(64) })),
      ).rejects.toThrow(refused);
      await expect(enterUnsigned(session, number, (all) => ({ ...all, identifiers: [] }))).rejects.toThrow(
        refused,
      );
      const plain = [
        { names: 'email', kid: 'k', mac: 'gran@example.ca' },
        { names: 'person', kid: 'k', mac: 'x' },
      ];
      await expect(enterUnsigned(session, number, (all) => ({ ...all, identifiers: plain }))).rejects.toThrow(
        refused,
      );
      await expect(session.query(`select privacy.record_ledger($1, 'nothing')`, [number])).rejects.toThrow(
        /no signed record/,
      );
      await enterUnsigned(session, number);
      await eraseAll(session, number);
    }));
});

describe('the proof', () => {
  const scratch = (statement: string, values: unknown[] = []) =>
    unguarded(database, (connection) => connection.query(statement, values));
  const left = (erasure: Erasure) =>
    openResidue(erasure).map((one) => `${one.state} ${one.table} ${one.column ?? ''}`.trim());

  test('what is theirs is not looked away; a name is, by who has seen it; and what was never found by nobody', () =>
    due(async (session, number, { gran }) => {
      await begin(session, number);
      await expect(proveErasure(session, number)).rejects.toThrow(/not at its end/);
      await eraseAll(session, number);
      await scratch(
        `create table public.scratch (n int, words text, notes text); grant select on public.scratch to ${database.owner.user}`,
      );
      try {
        await scratch(`insert into public.scratch values (1, $1, 'Fleurange Nadeau called')`, [
          `about ${gran.email}`,
        ]);
        const found = await proveErasure(session, number);
        expect(found.state).toBe('erased');
        expect(left(found)).toEqual(['possible public.scratch notes', 'residue public.scratch words']);
        await expect(proveErasure(session, number, ['public.scratch.words'])).rejects.toThrow(
          /could be looked at/,
        );
        await expect(proveErasure(session, number, ['public.users.email'])).rejects.toThrow(
          /could be looked at/,
        );
        const seen = await proveErasure(session, number, ['public.scratch.notes']);
        expect([seen.state, left(seen)]).toEqual(['erased', ['residue public.scratch words']]);
        await scratch('update public.scratch set words = null');
        // The next look is its own: nobody has looked at that one.
        expect(left(await proveErasure(session, number))).toEqual(['possible public.scratch notes']);
        expect((await proveErasure(session, number, ['public.scratch.notes'])).state).toBe('proven');
      } finally {
        await scratch('drop table public.scratch');
      }
    }));

  test('what the planner remembers of them is forgotten', () =>
    due(async (session, number, { gran }) => {
      await scratch('analyze public.users');
      const remembered = async () =>
        await withConnection(database.superuser, (connection) =>
          connection.query(`select from pg_catalog.pg_stats s where strpos(s::text, $1) > 0`, [gran.email]),
        );
      expect(await remembered()).not.toEqual([]);
      await begin(session, number);
      await eraseAll(session, number);
      expect(await remembered()).not.toEqual([]);
      const proven = await proveErasure(session, number);
      expect([proven.state, left(proven)]).toEqual(['proven', []]);
      expect(await remembered()).toEqual([]);
    }));

  test('nor does it remember them by an index that has no row any more, which no analysis makes forget', () =>
    due(async (session, number, { gran }) => {
      await withConnection(database.owner, (connection) =>
        connection.query(`
          create index zz_open on public.users ((lower(email))) where email not like 'erased%';
          analyze public.users`),
      );
      // As if hers had been the last that was open.
      await unguarded(database, (connection) =>
        connection.query(`update public.users set email = 'erased-' || email where id <> $1`, [gran.id]),
      );
      await begin(session, number);
      await eraseAll(session, number);
      await withConnection(database.owner, (connection) => connection.query('analyze public.users'));
      expect(
        await scratch(
          `select from pg_stats where tablename = 'zz_open' and strpos(histogram_bounds::text, $1) > 0`,
          [gran.email],
        ),
      ).toHaveLength(1);
      expect(left(await proveErasure(session, number))).toEqual([]);
      expect(
        await scratch(`select indisvalid from pg_index where indexrelid = 'public.zz_open'::regclass`),
      ).toEqual([{ indisvalid: true }]);
      await scratch('drop index public.zz_open');
    }));

  test('what an index remembers of a column that is kept, is kept', () =>
    due(async (session, number) => {
      await scratch('analyze privacy.requests');
      await begin(session, number);
      await eraseAll(session, number);
      const { state, proof } = await proveErasure(session, number);
      expect(state).toBe('proven');
      expect(
        proof?.found.filter(({ column }) => column === 'privacy.requests_open_idx.coalesce'),
      ).toMatchObject([{ names: 'id', state: 'kept' }]);
    }));

  test('what somebody may not read is not clean', () =>
    due(async (session, number) => {
      await begin(session, number);
      await eraseAll(session, number);
      await scratch('create table public.closed (words text); revoke all on public.closed from public');
      try {
        const found = await proveErasure(session, number);
        expect([found.state, left(found)]).toEqual(['erased', ['unread public.closed']]);
        expect((await proveErasure(session, number, ['public.closed'])).state).toBe('proven');
      } finally {
        await scratch('drop table public.closed');
      }
    }));

  test('what is written of them meanwhile, where there was nothing, goes too', () =>
    due(async (session, number, { gran }) => {
      await begin(session, number);
      await session.query('select from privacy.erase_batch($1, 1)', [number]);
      await asService(database, (service) =>
        service.query(
          `insert into public.notification_logs (user_id, notification_type, channel, title, message) values ($1, 'usage_reminder', 'push', 'a late one', 'b')`,
          [gran.id],
        ),
      );
      await eraseAll(session, number);
      const rows = await withConnection(database.superuser, (connection) =>
        connection.query(
          `select from public.notification_logs where title = 'a late one'
           union all select from audit.events where new_row::text like '%a late one%' or old_row::text like '%a late one%'`,
        ),
      );
      expect(rows).toEqual([]);
      expect((await proveErasure(session, number)).state).toBe('proven');
    }));
});

describe('its end', () => {
  test('it is complete once all others have followed, and only then forgets by what they are found', () =>
    due(async (session, number) => {
      const known = async () =>
        await withConnection(database.superuser, (connection) =>
          connection.one<{ n: number }>(
            `select count(*)::int as n from privacy.erasure_identifiers i join privacy.erasures e on e.id = i.erasure_id where e.request = $1`,
            [number],
          ),
        );
      const settle = (recipient: string, reference = 'EM-7') =>
        session.query('select privacy.settle_outside($1, $2, $3, $4)', [
          number,
          recipient,
          'erased',
          reference,
        ]);
      await expect(settle('email')).rejects.toThrow(/has not begun/);
      await begin(session, number);
      await expect(session.query('select privacy.certificate_facts($1)', [number])).rejects.toThrow(
        /not proven/,
      );
      await eraseAll(session, number);
      await expect(settle('email', ' ')).rejects.toThrow(/looked up/);
      await settle('email');
      expect((await proveErasure(session, number)).state).toBe('proven');
      expect((await known()).n).toBeGreaterThan(0);
      await settle('payments');
      await session.query('select privacy.close_erasure($1)', [number]);
      expect((await readErasure(session, number)).state).toBe('complete');
      expect((await known()).n).toBe(0);
    }));

  test('a certificate of anything else is refused', () =>
    due(async (session, number) => {
      await begin(session, number);
      await eraseAll(session, number);
      await proveErasure(session, number);
      const { facts } = await session.one<{ facts: Record<string, unknown> }>(
        'select privacy.certificate_facts($1) as facts',
        [number],
      );
      const record = (content: object, signatures: object[] = [{ keyid: 'k', sig: '' }]) => {
        const statement = {
          predicateType: 'urn:nestctl:evidence:erasure-certificate:v1',
          predicate: { content },
        };
        const payload = Buffer.from(JSON.stringify(statement)).toString('base64');
        return session.query('select privacy.record_certificate($1, $2)', [
          number,
          JSON.stringify({ payload, signatures }),
        ]);
      };
      await expect(record({ ...facts, outside: [] })).rejects.toThrow(/not of exactly/);
      await expect(record(facts, [])).rejects.toThrow(/not of exactly/);
      await record(facts);
      expect((await readErasure(session, number)).certified_at).not.toBeNull();
    }));
});

test('the auditor reads all of it, and does none of it', async () => {
  await due(async (session, number) => {
    const auditor = await database.makeOperator('auditor');
    const { openSession } = await import('../../src/platform/database/session.js');
    const reader = await openSession(auditor, { duty: 'auditor', reason: 'a look at erasures' });
    try {
      expect((await readErasure(reader, number)).state).toBe('due');
      await expect(reader.query('select privacy.begin_erasure($1)', [number])).rejects.toThrow(
        /permission denied|not allowed/i,
      );
      await expect(reader.query('select from privacy.erasure_identifiers')).rejects.toThrow(
        /permission denied|not allowed/i,
      );
    } finally {
      await reader.close();
    }
    expect((await readErasure(session, number)).state).toBe('due');
  });
});
