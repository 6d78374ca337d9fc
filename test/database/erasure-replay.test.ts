import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  approveErasure,
  begin,
  eraseAll,
  letTimePass,
  makeOfficers,
  schedule,
  unguarded,
} from '../support/erasures.js';
import { asCompliance, openRequestOf } from '../support/packages.js';
import { type Backup, backUp } from '../support/restore.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = { reason: 'restored to a minute before', ticket: 'OPS-9' };
const RECORD = 'erasures/1';

let database: TestDatabase;
let officer: ConnectionTarget;
let second: ConnectionTarget;
let backup: Backup;
let family: SmallFamily;
let ledger: string;
beforeAll(async () => {
  database = await createTestDatabase();
  [officer, second] = await makeOfficers(database);
  family = await makeFamily(database, { name: 'Ouellet' });
  await unguarded(database, async (connection) => {
    await connection.query(
      `update public.family_members set status = 'removed' where family_id = $1 and user_id <> $2`,
      [family.id, family.core.id],
    );
    await connection.query(
      `insert into public.notification_preferences (user_id, device_tokens) values ($1, '{a-device-token}')`,
      [family.core.id],
    );
  });
  backup = await backUp(database);
  ledger = await asCompliance(officer, family.core.id, async (session) => {
    const number = await openRequestOf(session, family.core.id, { kind: 'deletion' });
    await approveErasure(session, second, number);
    await schedule(session, number);
    await letTimePass(database, number);
    await begin(session, number);
    await eraseAll(session, number);
    return (await session.one<{ ledger: string }>('select ledger from privacy.erasures')).ledger;
  });
});
beforeEach(() => backup.restore());
afterAll(async () => {
  await backup?.drop();
  await database?.drop();
});

async function asOfficer<T>(work: (session: Session) => Promise<T>, target = officer): Promise<T> {
  const session = await openSession(target, { duty: 'compliance', ...WHY });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** The record with something else in it. Nobody signed either; who signed is for the console to verify. */
function edited(change: (content: Record<string, unknown>) => object): string {
  const envelope = JSON.parse(ledger);
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8'));
  statement.predicate.content = change(statement.predicate.content);
  return JSON.stringify({
    ...envelope,
    payload: Buffer.from(JSON.stringify(statement)).toString('base64'),
  });
}

interface Entry {
  readonly record?: string;
  readonly ledger?: string;
  readonly person?: string;
  readonly families?: readonly string[];
}
const entryOf = (entry: Entry) => [
  entry.record ?? RECORD,
  entry.ledger ?? ledger,
  entry.person ?? family.core.id,
  entry.families ?? [family.id],
];

const replay = (session: Session, entry: Entry = {}) =>
  session.query('select privacy.replay_erasure($1, $2, $3, $4::uuid[])', entryOf(entry));

async function approve(session: Session, entry: Entry = {}): Promise<void> {
  const { id } = await session.one<{ id: string }>(
    `select a.id from privacy.replay_approvable($1, $2, $3, $4::uuid[]) p, ops.request_approval('erasure', p, $5, $6) a`,
    [...entryOf(entry), WHY.reason, WHY.ticket],
  );
  await asOfficer(
    (other) => other.query(`select ops.decide_approval($1, 'granted', $2)`, [id, WHY.reason]),
    second,
  );
}

const count = (table: string, condition = 'true') =>
  withConnection(database.superuser, async (connection) =>
    Number((await connection.one<{ n: string }>(`select count(*) as n from ${table} where ${condition}`)).n),
  );

describe('looking through all accounts', () => {
  const look = (session: Session) =>
    session.one<{ id: string }>(`select privacy.begin_look(1, repeat('ab', 32)) as id`);
  const read = (session: Session, id: string) =>
    session.query<{ names: string; value: string }>('select * from privacy.known_accounts($1, null, 100)', [
      id,
    ]);

  test('is on record before the first row, as one’s own, until it ends', () =>
    asOfficer(async (session) => {
      await expect(read(session, '9f1a36a6-8c1f-4a53-9f0e-3c7a2f6f0f11')).rejects.toThrow(
        /no look of yours/i,
      );
      const { id } = await look(session);
      await expect(asOfficer((other) => read(other, id), second)).rejects.toThrow(/no look of yours/i);
      const found = await read(session, id);
      expect(found).toContainEqual({ person: family.core.id, names: 'email', value: family.core.email });
      expect(found).toContainEqual({ person: family.core.id, names: 'device', value: 'a-device-token' });
      await session.query(`select privacy.end_look($1, 2, '{"back": 1}')`, [id]);
      await expect(read(session, id)).rejects.toThrow(/no look of yours/i);
      for (const change of [`entries = 9`, `found = '{}'`, `accounts = 0`])
        await expect(
          withConnection(database.owner, (owner) => owner.query(`update privacy.ledger_looks set ${change}`)),
          change,
        ).rejects.toThrow(/never changes/);
    }));

  test('is not read in the transaction that puts it on record, which could be rolled back', () =>
    asOfficer(async (session) => {
      await expect(
        session.query(
          `select k.* from privacy.begin_look(1, repeat('ab', 32)) l, lateral privacy.known_accounts(l, null, 100) k`,
        ),
      ).rejects.toThrow(/no look of yours/i);
      expect(await count('privacy.ledger_looks')).toBe(0);
    }));

  test('is for compliance alone', async () => {
    for (const duty of ['support', 'sre', 'auditor'] as const) {
      const target = await database.makeOperator(duty);
      const session = await openSession(target, { duty, ...WHY });
      await expect(look(session), duty).rejects.toThrow();
      await session.close();
    }
  });
});

describe('erasing again', () => {
  test('waits for a second operator, who approves this record, this person and these families, once', () =>
    asOfficer(async (session) => {
      await expect(replay(session)).rejects.toThrow(/nobody was asked/);
      await approve(session, { families: [] });
      await expect(replay(session)).rejects.toThrow(/nobody was asked/);
      await approve(session);
      await replay(session);
      await expect(replay(session)).rejects.toThrow(/erases them already/);
      await eraseAll(session, RECORD);
      expect(await count('public.families')).toBe(0);
      await expect(replay(session)).rejects.toThrow(/never|went with them|asked/);
    }));

  test('is of an entry of the ledger, of an account that there is, and of families of theirs', () =>
    asOfficer(async (session) => {
      const stranger = await makeFamily(database, { name: 'Gagnon' });
      for (const [entry, why] of [
        [{ ledger: 'nothing' }, /no signed record/],
        [{ ledger: JSON.stringify({ ...JSON.parse(ledger), signatures: [] }) }, /no signed record/],
        [{ ledger: edited(({ policy: _, ...rest }) => rest) }, /no entry of the ledger/],
        [{ record: 'audit/1' }, /no entry of the ledger/],
        [{ person: stranger.id }, /there is no account/i],
        [{ families: [stranger.id] }, /went with them/],
        [{ ledger: edited((content) => ({ ...content, families: 0 })) }, /went with them/],
      ] as const)
        await expect(replay(session, entry), String(why)).rejects.toThrow(why);
      expect(await count('privacy.erasures')).toBe(0);
    }));

  test('does what was done then, and what the data map says of what there was none of', () =>
    asOfficer(async (session) => {
      // Then: preferences were deleted; logs of a family that goes as well. Now the map would keep the preferences.
      await unguarded(database, (connection) =>
        connection.query(
          `update privacy.column_answers set erasure = 'keep', obligation = 'accountability' where table_name = 'public.notification_preferences'`,
        ),
      );
      const policy = [
        ...(
          JSON.parse(
            JSON.stringify(
              JSON.parse(Buffer.from(JSON.parse(ledger).payload, 'base64').toString('utf8')).predicate.content
                .policy,
            ),
          ) as { table: string; rows_of: string }[]
        ).filter(({ table }) => table !== 'public.children'),
        { table: 'public.gone_since', rows_of: 'own', does: 'delete' },
        { table: 'public.users', rows_of: 'own', does: 'anonymize', columns: ['no_such_column'] },
        // Then kept under an obligation, which the map of now does not know.
        { table: 'public.usage_logs', rows_of: 'gone', does: 'keep', obligations: ['billing'] },
      ];
      const without = policy.filter(
        (step) => !(step.table === 'public.usage_logs' && (step as { does?: string }).does === 'delete'),
      );
      const entry = { ledger: edited((content) => ({ ...content, policy: without })), families: [] };
      await approve(session, entry);
      await replay(session, entry);
      await eraseAll(session, RECORD);
      expect(await count('public.notification_preferences')).toBe(0);
      const steps = await session.query<{ step: string }>(
        `select s ->> 'table' || ' ' || (s ->> 'rows_of') || ' ' || (s ->> 'does') as step from privacy.erasures e, jsonb_array_elements(e.plan -> 'steps') s`,
      );
      const told = steps.map(({ step }) => step);
      expect(told).toContain('public.notification_preferences own delete');
      expect(told).toContain('public.usage_logs gone keep');
      expect(told.filter((step) => step.startsWith('public.gone_since'))).toEqual([]);
      expect(await count('public.users', `email = '${family.core.email}'`)).toBe(0);
    }));

  test('closes the account at once, and cannot be cancelled', () =>
    asOfficer(async (session) => {
      await approve(session);
      await replay(session);
      expect(await count('public.users', `id = '${family.core.id}' and status = 'pending_deletion'`)).toBe(1);
      await expect(session.query('select privacy.cancel_erasure($1)', [RECORD])).rejects.toThrow(/it began/i);
    }));
});
