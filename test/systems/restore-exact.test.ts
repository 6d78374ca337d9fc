import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../src/backups/index.js';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import { adviseTarget, discardRestore, requireReachable, runRestore } from '../../src/recovery/index.js';
import type { RecoveryTarget } from '../../src/recovery/target.js';
import { type ArchivingServer, startArchiving } from '../support/archiving-server.js';
import { type Random, seededRandom, testSeed } from '../support/model/random.js';

const TARGETS = 30;

let here: ArchivingServer;
const home = process.env.NESTCTL_HOME;
beforeAll(async () => {
  here = await startArchiving();
  // The engine works beside it in this process.
  process.env.NESTCTL_HOME = here.server.folder;
}, 120_000);
afterAll(async () => {
  if (home === undefined) delete process.env.NESTCTL_HOME;
  else process.env.NESTCTL_HOME = home;
  await here?.stop();
});

/** What the table held once a transaction had ended, kept outside of the database. */
interface Moment {
  /** Sum and count tell any two states apart: each row is another power's worth. */
  readonly rows: string;
  readonly time: Date;
  readonly lsn: string;
  /** Of the transaction that comes next; where it ended, its effect is in the next moment. */
  next?: { readonly xid: string; readonly time: Date };
}

const STATE = `select coalesce(string_agg(n || ':' || v, ',' order by n), '') as rows from public.shadow`;

/** One random transaction, committed or not; returns its number. */
async function change(writer: Connection, random: Random): Promise<string> {
  await writer.query('begin');
  const { xid } = await writer.one<{ xid: string }>('select pg_current_xact_id()::text as xid');
  for (let steps = random.between(1, 4); steps > 0; steps -= 1) {
    const n = random.between(1, 20);
    const statement = random.pick([
      `insert into public.shadow (n, v) values (${n}, ${random.between(1, 99)}) on conflict (n) do update set v = excluded.v`,
      `update public.shadow set v = v + 1 where n >= ${n}`,
      `delete from public.shadow where n = ${n}`,
    ]);
    await writer.query(statement);
  }
  if (random.between(0, 9) === 0) await writer.query('truncate public.shadow');
  await writer.query(random.between(0, 4) === 0 ? 'rollback' : 'commit');
  return xid;
}

async function moment(writer: Connection): Promise<Moment> {
  const { rows } = await writer.one<{ rows: string }>(STATE);
  const { time, lsn } = await writer.one<{ time: Date; lsn: string }>(
    'select clock_timestamp() as time, pg_current_wal_insert_lsn()::text as lsn',
  );
  // A time has milliseconds here: nothing else may happen in this one.
  await sleep(3);
  return { rows, time: new Date(time.getTime() + 1), lsn };
}

const seed = testSeed();
test(`${TARGETS} random targets hold exactly what there was then, NESTCTL_TEST_SEED=${seed}`, async () => {
  const random = seededRandom(seed);
  const engine = await openEngine({ name: 'here', kind: 'local' } as never);
  const made = { by: 'a test', reason: null, ticket: null };
  const moments: Moment[] = [];
  await withConnection(here.database.superuser, async (writer) => {
    await writer.query('create table public.shadow (n integer primary key, v integer not null)');
    await writer.query('alter table public.shadow owner to nestsync_owner');
    for (let round = 0; round < 4; round += 1) {
      // Written on while the copy is made.
      const backup = engine.create(made);
      let over = false;
      void backup.finally(() => {
        over = true;
      });
      while (!over) {
        await change(writer, random);
        await sleep(10);
      }
      await backup;
      for (let changes = 0; changes < 40; changes += 1) {
        const now = await moment(writer);
        moments.push(now);
        now.next = { xid: await change(writer, random), time: new Date() };
        if (random.between(0, 19) === 0) await writer.query('select pg_switch_wal()');
      }
    }
    moments.push(await moment(writer));
    await change(writer, random);
    await writer.query('select pg_switch_wal()');
  });
  const kinds = { time: 0, lsn: 0, before: 0 };
  for (let at = 0; at < TARGETS; at += 1) {
    const aimed = random.pick(moments.slice(0, -1));
    const { xid, time } = aimed.next as { xid: string; time: Date };
    const target = random.pick<RecoveryTarget>([
      { kind: 'time', time: aimed.time },
      { kind: 'lsn', lsn: aimed.lsn },
      { kind: 'before', xid, about: time },
    ]);
    const advice = requireReachable(await adviseTarget(engine, target));
    const restore = await runRestore(engine, advice, {
      context: { name: 'here', database: here.database.name },
      made,
    });
    const inside = {
      ...here.database.superuser,
      host: restore.socket as string,
      port: 5432,
      password: undefined,
    };
    const { rows } = await withConnection(inside, (connection) => connection.one<{ rows: string }>(STATE));
    await discardRestore(restore.id);
    expect(rows, `${at}: ${JSON.stringify(target)} from ${restore.backup}`).toBe(aimed.rows);
    kinds[target.kind as 'time'] += 1;
  }
  expect(Math.min(...Object.values(kinds))).toBeGreaterThan(0);
}, 600_000);
