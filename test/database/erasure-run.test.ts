import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, withConnection } from '../../src/platform/database/connection.js';
import type { Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  type ErasurePlan,
  placeHold,
  planErasure,
  planHold,
  planRelease,
  releaseHold,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { empty, fatesOf, goingOf, touchAll } from '../support/erased-worlds.js';
import {
  approveErasure,
  begin,
  eraseAll,
  everything,
  letTimePass,
  makeOfficers,
  schedule,
  unguarded,
} from '../support/erasures.js';
import { seededRandom, testScale, testSeed } from '../support/model/random.js';
import { asCompliance, openRequestOf } from '../support/packages.js';
import { plantPeople } from '../support/planted-people.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let officer: ConnectionTarget;
let second: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  [officer, second] = await makeOfficers(database);
});
afterAll(() => database?.drop());

const seed = testSeed();

interface Erased {
  readonly rows: Readonly<Record<string, number>>;
  readonly leaves: number;
}

/** What is on record of an erasure: rows by step, and how many events are not what was sealed. */
async function onRecord(number: string): Promise<Erased> {
  return await withConnection(database.superuser, async (connection) => {
    const steps = await connection.query<{ step: string; rows: number }>(
      `select concat_ws(' ', s.table_name, s.rows_of, s.does, nullif(array_to_string(s.columns, ','), '')) as step, s.rows::int as rows
       from privacy.erasure_steps s join privacy.erasures e on e.id = s.erasure_id where e.request = $1`,
      [number],
    );
    const { leaves } = await connection.one<{ leaves: number }>(
      'select count(*)::int as leaves from audit.events e where audit.leaf_of(e) <> e.leaf',
    );
    return { rows: Object.fromEntries(steps.map(({ step, rows }) => [step, rows])), leaves };
  });
}

interface Residue {
  readonly table: string;
  readonly column: string;
  readonly names: string;
  readonly rows: number;
  readonly state: string;
}

const residue = (number: string) =>
  withConnection(database.superuser, (connection) =>
    connection.query<Residue>(
      `select r.table_name as table, r.column_name as column, r.names, r.rows::int as rows, r.state
       from privacy.erasures e, private.find_residue(e) r where e.request = $1`,
      [number],
    ),
  );

const plannedRows = ({ steps }: ErasurePlan) =>
  Object.fromEntries(
    steps
      .filter(({ table, does }) => table.startsWith('public.') && does !== 'keep' && does !== 'stay')
      .map(({ table, rows_of, does, columns = [], rows }) => [
        [table, rows_of, does, does === 'delete' ? '' : columns.join()]
          .filter((word) => word !== '')
          .join(' '),
        rows,
      ]),
  );

/** A person who is to be erased, scheduled and due. */
async function due(
  session: Session,
  person: string,
): Promise<{ number: string; plan: ErasurePlan } | undefined> {
  const number = await openRequestOf(session, person, { kind: 'deletion' });
  const plan = await planErasure(session, number);
  if (plan.gates.length > 0) return undefined;
  await approveErasure(session, second, number);
  await schedule(session, number);
  await letTimePass(database, number);
  return { number, plan };
}

test(`random families: nothing holds what was to go, everything what was to stay, NESTCTL_TEST_SEED=${seed}`, async () => {
  const random = seededRandom(seed);
  let families = 0;
  for (let world = 0; world < 4 * testScale(); world += 1) {
    const people = await plantPeople(database, random);
    await empty(database, people, random);
    await touchAll(database);
    await asCompliance(officer, people.subject, async (session) => {
      const erasure = await due(session, people.subject);
      expect(erasure, 'something stands against it').toBeDefined();
      if (erasure === undefined) return;
      const { number, plan } = erasure;
      const before = await everything(database);
      await begin(session, number);
      await eraseAll(session, number, random.pick([3, 7, 5_000]));
      const [after, record] = [await everything(database), await onRecord(number)];
      const going = goingOf(plan);
      families += going.size;
      const { gone, stay } = fatesOf(people, going);
      // What is looked for in the end is kept until it was.
      const places = [...after].filter(([table]) => table !== 'privacy.erasure_identifiers');
      for (const { marker, table, column } of gone)
        expect(
          places.filter(([, text]) => text.includes(marker)).map(([name]) => name),
          `world ${world}: ${table}.${column}`,
        ).toEqual([]);
      for (const { marker, table, column } of stay)
        if (before.get(table)?.includes(marker) === true)
          expect(after.get(table)?.includes(marker), `world ${world}: ${table}.${column}`).toBe(true);
      expect(record.rows).toMatchObject(plannedRows(plan));
      expect(record.leaves).toBe(0);
      expect((await residue(number)).filter(({ state }) => state !== 'kept')).toEqual([]);
    });
  }
  expect(families).toBeGreaterThan(0);
});

describe('before it begins', () => {
  let family: SmallFamily;
  const of = async (work: (session: Session, number: string) => Promise<void>) => {
    family = await makeFamily(database, { name: 'Tremblay' });
    await asService(database, (service) =>
      service.query('insert into public.notification_preferences (user_id, sms_enabled) values ($1, true)', [
        family.gran.id,
      ]),
    );
    await asCompliance(officer, family.gran.id, async (session) => {
      await work(session, await openRequestOf(session, family.gran.id, { kind: 'deletion' }));
    });
  };
  const account = () =>
    withConnection(database.superuser, (connection) =>
      connection.one(
        `select u.status, u.data_deletion_requested_at is not null as asked, n.push_enabled, n.email_enabled, n.sms_enabled
         from public.users u join public.notification_preferences n on n.user_id = u.id where u.id = $1`,
        [family.gran.id],
      ),
    );
  const closed = {
    ...{ status: 'pending_deletion', asked: true },
    ...{ push_enabled: false, email_enabled: false, sms_enabled: false },
  };
  const open = {
    ...{ status: 'active', asked: false },
    ...{ push_enabled: true, email_enabled: true, sms_enabled: true },
  };

  test('nobody schedules it without a second operator, and the account is closed once it is', () =>
    of(async (session, number) => {
      await expect(schedule(session, number)).rejects.toMatchObject({ code: 'approval_pending' });
      await approveErasure(session, second, number);
      expect(await account()).toEqual(open);
      await schedule(session, number);
      expect(await account()).toEqual(closed);
      await expect(schedule(session, number)).rejects.toMatchObject({ code: 'conflict' });
    }));

  test('it is not due for thirty days, and cancelling puts all back as it was', () =>
    of(async (session, number) => {
      await approveErasure(session, second, number);
      await schedule(session, number);
      await expect(begin(session, number)).rejects.toThrow(/due on/);
      await session.query('select privacy.cancel_erasure($1)', [number]);
      expect(await account()).toEqual(open);
      await letTimePass(database, number);
      await expect(begin(session, number)).rejects.toThrow(/cancelled/);
      await expect(session.query('select privacy.cancel_erasure($1)', [number])).rejects.toThrow(/cancelled/);
    }));

  test('an approval is of one plan: what has changed since is erased by nobody', () =>
    of(async (session, number) => {
      await approveErasure(session, second, number);
      const log = (service: { query(text: string, values: unknown[]): Promise<unknown> }) =>
        service.query(
          `insert into public.notification_logs (user_id, notification_type, channel, title, message) values ($1, 'usage_reminder', 'push', 'a', 'b')`,
          [family.gran.id],
        );
      await asService(database, log);
      await expect(schedule(session, number)).rejects.toMatchObject({ code: 'approval_pending' });
      await approveErasure(session, second, number);
      await schedule(session, number);
      await letTimePass(database, number);
      await asService(database, log);
      await expect(begin(session, number)).rejects.toThrow(/no longer what was approved/);
      await asService(database, (service) =>
        service.query(
          'delete from public.notification_logs where id in (select id from public.notification_logs where user_id = $1 limit 1)',
          [family.gran.id],
        ),
      );
      await unguarded(database, (connection) =>
        connection.query('grant select on public.payment_methods to anon'),
      );
      await expect(begin(session, number)).rejects.toThrow(/grants or the data map have changed/);
      await unguarded(database, (connection) =>
        connection.query('revoke select on public.payment_methods from anon'),
      );
      await begin(session, number);
    }));

  test('a hold, and a request for all that is held, stand against it until the end', () =>
    of(async (session, number) => {
      await approveErasure(session, second, number);
      await schedule(session, number);
      await letTimePass(database, number);
      const hold = async () =>
        await placeHold(
          session,
          await planHold(session, {
            ...{ subject: { kind: 'user', id: family.gran.id }, basis: 'litigation', matter: 'garde' },
          }),
        );
      const release = async (name: string) => releaseHold(session, await planRelease(session, name));
      const placed = await hold();
      await expect(begin(session, number)).rejects.toThrow(/legal hold/i);
      await release(placed.number);
      await begin(session, number);
      await session.query('select privacy.erase_batch($1, 1)', [number]);
      const late = await hold();
      await expect(eraseAll(session, number)).rejects.toThrow(/legal hold/i);
      await release(late.number);
      await eraseAll(session, number);
    }));

  test('an access request that came meanwhile is answered first', () =>
    of(async (session, number) => {
      await approveErasure(session, second, number);
      await schedule(session, number);
      await letTimePass(database, number);
      await openRequestOf(session, family.gran.id);
      await expect(begin(session, number)).rejects.toThrow(/can still be complained of/);
    }));
});

test(`ended by the server at any moment, it goes on to the same end, NESTCTL_TEST_SEED=${seed}`, async () => {
  const random = seededRandom(seed + 1);
  const people = await plantPeople(database, random);
  await empty(database, people, random);
  await touchAll(database);
  const erasure = await asCompliance(officer, people.subject, (session) => due(session, people.subject));
  expect(erasure).toBeDefined();
  if (erasure === undefined) return;
  const { number, plan } = erasure;
  let ended = 0;
  for (let tries = 0; tries < 60; tries += 1) {
    const done = await asCompliance(officer, people.subject, async (session) => {
      const { pid } = await session.one<{ pid: number }>('select pg_backend_pid() as pid');
      const work = begin(session, number)
        .then(() => eraseAll(session, number, 2))
        .then(
          () => true,
          () => false,
        );
      const killer = sleep(random.between(1, 120)).then(() =>
        withConnection(database.superuser, (connection) =>
          connection.query('select pg_terminate_backend($1)', [pid]),
        ),
      );
      const finished = await work;
      await killer;
      return finished;
    }).catch(() => false);
    if (done) break;
    ended += 1;
  }
  expect(ended).toBeGreaterThan(0);
  await asCompliance(officer, people.subject, async (session) => {
    await begin(session, number);
    await eraseAll(session, number);
  });
  const { gone } = fatesOf(people, goingOf(plan));
  const places = [...(await everything(database))].filter(
    ([table]) => table !== 'privacy.erasure_identifiers',
  );
  for (const { marker } of gone) expect(places.filter(([, text]) => text.includes(marker))).toEqual([]);
  const record = await onRecord(number);
  expect(record.rows).toMatchObject(plannedRows(plan));
  expect(record.leaves).toBe(0);
});

test('what others write for a family that goes, while it goes, does not survive', async () => {
  const family = await makeFamily(database, { name: 'Roy' });
  await unguarded(database, (connection) =>
    connection.query(
      `update public.family_members set status = 'removed' where family_id = $1 and user_id <> $2`,
      [family.id, family.core.id],
    ),
  );
  await asCompliance(officer, family.core.id, async (session) => {
    const erasure = await due(session, family.core.id);
    expect(erasure?.plan.families).toMatchObject([{ fate: 'goes' }]);
    const number = erasure?.number ?? '';
    await begin(session, number);
    const writer = await connect(database.service);
    await writer.query('set role service_role');
    let [over, written] = [false, 0];
    const writing = (async () => {
      while (!over)
        await writer
          .query(
            `insert into public.usage_logs (family_id, child_id, usage_type, notes) values ($1, $2, 'diaper_change', 'written meanwhile')`,
            [family.id, family.child],
          )
          .then(
            () => {
              written += 1;
            },
            // The child is gone.
            () => sleep(5),
          );
    })();
    while (written < 5) await sleep(5);
    await eraseAll(session, number, 20);
    over = true;
    await writing;
    await writer.close();
    const places = [...(await everything(database))].filter(([, text]) => text.includes('written meanwhile'));
    expect(places).toEqual([]);
  });
});

describe('what is left is found', () => {
  test('however it is written, in any column of any schema, declared or not; and what only may be theirs is told apart', async () => {
    const family = await makeFamily(database, { name: 'Bouchard' });
    await asCompliance(officer, family.gran.id, async (session) => {
      const [account] = await withConnection(database.superuser, async (connection) => {
        await connection.query(
          `update public.users set phone_number = '+1 514 555 0199', display_name = 'Zoé Émard', first_name = 'Zoé', last_name = 'Émard' where id = $1`,
          [family.gran.id],
        );
        return await connection.query<{ email: string }>('select email from public.users where id = $1', [
          family.gran.id,
        ]);
      });
      const email = account?.email ?? '';
      const { number } = (await due(session, family.gran.id)) ?? { number: '' };
      await begin(session, number);
      await eraseAll(session, number);
      const left = async () => (await residue(number)).filter(({ state }) => state !== 'kept');
      expect(await left()).toEqual([]);
      const id = family.gran.id;
      const hidden: readonly (readonly [type: string, value: string, state: string, names: string])[] = [
        ['text', `'she is ${id.toUpperCase()}.'`, 'residue', 'id'],
        ['varchar(80)', `'${id.replaceAll('-', '')}'`, 'residue', 'id'],
        ['uuid', `'${id}'`, 'residue', 'id'],
        ['uuid[]', `array['${id}']::uuid[]`, 'residue', 'id'],
        ['text', `'mail ${email.toUpperCase()}'`, 'residue', 'email'],
        ['text', `'mailto=${email.replace('@', '%40')}'`, 'residue', 'email'],
        ['jsonb', `jsonb_build_object('a', jsonb_build_array('${email}'))`, 'residue', 'email'],
        ['bytea', `convert_to('to ${email}', 'UTF8')`, 'residue', 'email'],
        ['text[]', `array['x', '${email}']`, 'residue', 'email'],
        ['text', `'(514) 555-0199'`, 'residue', 'phone'],
        ['text', `'+15145550199'`, 'residue', 'phone'],
        ['text', `'tel 514.555.0199'`, 'residue', 'phone'],
        ['text', `'ZOÉ ÉMARD l’a dit'`, 'possible', 'name'],
        ['text', `normalize('zoé émard', NFD)`, 'possible', 'name'],
        ['json', `'{"who": "Zo\\u00e9 \\u00c9mard"}'`, 'possible', 'name'],
        ['bytea', `convert_to('Zoé Émard', 'UTF8')`, 'possible', 'name'],
      ];
      const columns = hidden.map(([type], at) => `h${at} ${type}`).join(', ');
      await unguarded(database, (connection) =>
        connection.query(
          `create schema elsewhere; create table elsewhere.notes (n serial, other int, ${columns});
           insert into elsewhere.notes default values; insert into elsewhere.notes values (2, null, ${hidden.map(([, value]) => value).join(', ')})`,
        ),
      );
      const found = new Map((await left()).map((one) => [`${one.table} ${one.column}`, one]));
      hidden.forEach(([type, value, state, names], at) => {
        const column = `h${at}`;
        const expected = { table: 'elsewhere.notes', column, names, rows: 1, state };
        expect(found.get(`elsewhere.notes ${column}`), `${type} ${value}`).toEqual(expected);
      });
      expect(found.size).toBe(hidden.length);
      await unguarded(database, (connection) => connection.query('drop schema elsewhere cascade'));
      expect(await left()).toEqual([]);
    });
  });

  test('in what the planner remembers, until it is analyzed again', async () => {
    const family = await makeFamily(database, { name: 'Lavoie' });
    await asCompliance(officer, family.gran.id, async (session) => {
      await unguarded(database, (connection) => connection.query('analyze public.users'));
      const { number } = (await due(session, family.gran.id)) ?? { number: '' };
      await begin(session, number);
      await eraseAll(session, number);
      const found = async () => (await residue(number)).filter(({ state }) => state === 'residue');
      expect(await found()).toContainEqual(
        expect.objectContaining({
          table: 'pg_catalog.pg_stats',
          column: 'public.users.email',
          names: 'email',
        }),
      );
      await unguarded(database, (connection) => connection.query('analyze public.users'));
      expect(await found()).toEqual([]);
    });
  });
});

test('what guards a record lets go in a batch alone, and there of what the data map erases', async () => {
  const family = await makeFamily(database, { name: 'Gagnon' });
  await asCompliance(officer, family.gran.id, async (session) => {
    const erasure = await due(session, family.gran.id);
    const number = erasure?.number ?? '';
    await begin(session, number);
    await withConnection(database.superuser, async (superuser) => {
      await superuser.query(`select set_config('nestsync.reason', 'a test of guards', false)`);
      const reason = `update ops.access_grants set reason = 'erased on request' where user_id = '${family.gran.id}'`;
      await expect(superuser.query(reason)).rejects.toThrow(/never changes/);
      const inBatch = async (statement: string) => {
        await superuser.query('begin');
        try {
          await superuser.query(
            `insert into privacy.erasure_batches (erasure_id, number, done_by) select id, 9999, 'camille.roy' from privacy.erasures where request = $1`,
            [number],
          );
          return await superuser.queryResult(statement);
        } finally {
          await superuser.query('rollback');
        }
      };
      expect((await inBatch(reason)).rowCount).toBe(1);
      for (const statement of [
        `update ops.access_grants set expires_at = now() + interval '1 year'`,
        'delete from ops.access_grants',
        `update privacy.erasures set person = gen_random_uuid()`,
        `update public.children set family_id = gen_random_uuid()`,
      ])
        await expect(inBatch(statement), statement).rejects.toThrow(/data map|never change/);
    });
  });
});
