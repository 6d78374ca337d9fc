import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withConnection } from '../../../src/platform/database/connection.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { approveErasure, letTimePass, makeOfficers, schedule, unguarded } from '../../support/erasures.js';
import { asCompliance, openRequestOf } from '../../support/packages.js';
import { peakMemory } from '../../support/peak-memory.js';
import { asService, makeFamily, type SmallFamily } from '../../support/small-world.js';
import { consoleEnv, fill, withDatabase } from '../support/databases.js';
import type { Bench, Figure, Finding } from '../support/figure.js';
import { interleaved, ms, ratio, timed } from '../support/measure.js';
import { type Command, needs, processTimes } from '../support/programs.js';

const WHY = ['--reason', 'a figure for the record', '--ticket', 'BENCH-1'];
const BIN = [process.execPath, join(packageRoot(), 'bin', 'run.js')];

export const erasureFigure: Figure = {
  title: 'Erasure of a person',
  measure: async (bench) => {
    await needs('hyperfine', 'apt-get install -y hyperfine');
    return await withDatabase(bench, async (database) => {
      const office = await openOffice(await bench.folder(), database);
      const findings = [
        ...(await typical(bench, office)),
        ...(await scan(bench, office)),
        ...(await large(bench, office)),
      ];
      return {
        findings,
        notes: [
          'Whole processes: entering the ledger, batches, the audit log, and the look for what is left. The bare deletion is one transaction of DELETE by table as superuser, audit triggers on; it leaves everything in the audit log.',
          'There is no pg_dump for the embedded PostgreSQL: COPY of every table, one after the other, into a program that throws it away, is what one reads.',
        ],
      };
    });
  },
};

interface Office {
  readonly database: TestDatabase;
  /** The console on a database that is this one or a copy of it. */
  nestctl(on: TestDatabase, ...words: string[]): Promise<Command>;
  /** Somebody alone with so many logs, whose erasure is due. */
  due(logs: number): Promise<{ readonly family: SmallFamily; readonly number: string }>;
}

async function openOffice(folder: string, database: TestDatabase): Promise<Office> {
  const [officer, second] = await makeOfficers(database);
  const nestctl = async (on: TestDatabase, ...words: string[]) => {
    const env = await consoleEnv(folder, { ...officer, database: on.name });
    return { argv: [...BIN, ...words], env: { ...env, NESTCTL_HOME: join(folder, 'home') } };
  };
  for (const purpose of ['signing', 'ledger'])
    await ended(await nestctl(database, 'evidence', 'key', 'create', '--for', purpose, ...WHY));
  return {
    ...{ database, nestctl },
    async due(logs) {
      // Whoever else is called so would have to be looked at by somebody.
      const [person, child] = [`Odile ${letters()}`, `Rose ${letters()}`];
      const family = await makeFamily(database, { name: 'Ouellet', person, child });
      await unguarded(database, (connection) =>
        connection.query(
          `update public.family_members set status = 'removed' where family_id = $1 and user_id <> $2`,
          [family.id, family.core.id],
        ),
      );
      // Written as the application writes: the audit log has an event of each, which goes too.
      await asService(database, async (connection) => {
        await connection.query(
          `insert into public.usage_logs (family_id, child_id, usage_type, notes, created_by, logged_at)
           select $1, $2, 'diaper_change', case when n % 5 = 0 then 'rash, cream ' || n end, $3, now() - n * interval '1 minute' from generate_series(1, $4::integer) n`,
          [family.id, family.child, family.core.id, logs],
        );
      });
      await fill(database, (connection) => connection.query('analyze').then(() => undefined));
      const number = await asCompliance(officer, family.core.id, async (session) => {
        const made = await openRequestOf(session, family.core.id, { kind: 'deletion' });
        await approveErasure(session, second, made);
        await schedule(session, made);
        await letTimePass(database, made);
        return made;
      });
      return { family, number };
    },
  };
}

const letters = () => [...randomBytes(12)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('');

/** Exit 8: others outside have still to follow. */
const ENDS = [0, 8];

function ended({ argv: [program = '', ...args], env }: Command): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (ENDS.includes(Number(error?.code ?? 0))) resolve();
        else reject(new Error(`${args.slice(1, 4).join(' ')} ended with ${error?.code}: ${stdout}${stderr}`));
      },
    );
  });
}

const erase = ({ nestctl }: Office, on: TestDatabase, number: string) =>
  nestctl(on, 'erasure', 'run', number, '--confirm', number, ...WHY);

async function typical(bench: Bench, office: Office): Promise<Finding[]> {
  bench.say('a typical family');
  const folder = await bench.folder();
  const list = await office.nestctl(
    office.database,
    'family',
    'list',
    '--email',
    'somebody@example.ca',
    ...WHY,
  );
  const rounds = bench.quick ? 3 : 7;
  const waiting: string[] = [];
  for (let made = 0; made < rounds; made += 1) waiting.push((await office.due(2_000)).number);
  const times = await interleaved(rounds, {
    erase: async () => {
      const command = await erase(office, office.database, waiting.pop() ?? '');
      return await timed(() => ended(command));
    },
    list: async () => (await processTimes(folder, list, 1))[0] ?? Number.NaN,
  });
  return [
    {
      claim: '`nestctl erasure run` of somebody with 2,000 rows, over `nestctl family list`',
      ratio: ratio(times.erase, times.list),
      limit: { atMost: 4 },
      behind: `${ms(times.erase)} over ${ms(times.list)}`,
    },
  ];
}

async function scan(bench: Bench, office: Office): Promise<Finding[]> {
  const rows = bench.quick ? 200_000 : 7_000_000;
  bench.say(`writing ${rows.toLocaleString('en-CA')} logs of others`);
  const { database } = office;
  const { number } = await office.due(10);
  await ended(await erase(office, database, number));
  const others = await makeFamily(database, { name: 'Gagnon' });
  await fill(database, async (connection) => {
    await connection.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, notes, logged_at)
       select $1, $2, 'diaper_change', repeat(md5(n::text) || ' ', 12), now() - n * interval '1 second' from generate_series(1, $3::integer) n`,
      [others.id, others.child, rows],
    );
    await connection.query('vacuum analyze public.usage_logs');
  });
  const { size, tables } = await withConnection(database.superuser, async (connection) => ({
    ...(await connection.one<{ size: number }>(
      `select sum(pg_table_size(oid))::float8 / 1e9 as size from pg_class where relkind = 'r'`,
    )),
    tables: await connection.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class where relkind in ('r', 'm') and relispopulated and relnamespace <> 'information_schema'::regnamespace and relnamespace::regnamespace::text !~ '^pg_'`,
    ),
  }));
  bench.say('looking through it');
  const look = await office.nestctl(database, 'erasure', 'verify', number, ...WHY, '--yes');
  const times = await interleaved(3, {
    look: () => timed(() => ended(look)),
    dump: () =>
      withConnection(database.superuser, (connection) =>
        timed(async () => {
          for (const { name } of tables)
            await connection.query(`copy (select * from ${name}) to program 'cat > /dev/null'`);
        }),
      ),
  });
  await fill(database, async (connection) => {
    await connection.query('delete from public.usage_logs where family_id = $1', [others.id]);
    await connection.query('vacuum full public.usage_logs');
  });
  return [
    {
      claim: `looking for what is left (\`erasure verify\`) in ${size.toFixed(1)} GB, over reading all tables as a dump does`,
      ratio: ratio(times.look, times.dump),
      limit: { atMost: 1.5 },
      behind: `${ms(times.look)} over ${ms(times.dump)}`,
    },
  ];
}

async function large(bench: Bench, office: Office): Promise<Finding[]> {
  const logs = bench.quick ? 50_000 : 1_000_000;
  const name = logs.toLocaleString('en-CA');
  bench.say(`making a family with ${name} logs`);
  const { family, number } = await office.due(logs);
  const others = await makeFamily(office.database, { name: 'Gagnon' });
  const server = await bench.server();
  const onCopy = async <T>(work: (copy: TestDatabase) => Promise<T>): Promise<T> => {
    const copy = await createTestDatabase({ server, template: office.database.name });
    try {
      return await work(copy);
    } finally {
      await copy.drop();
    }
  };
  bench.say('erasing');
  const times = await interleaved(bench.quick ? 2 : 3, {
    erase: () =>
      onCopy(async (copy) => {
        const command = await erase(office, copy, number);
        return await timed(() => ended(command));
      }),
    bare: () => onCopy((copy) => timed(() => deleteBare(copy, family.id))),
  });
  bench.say('erasing beside writers');
  const { peak, alone, beside } = await onCopy(async (copy) => {
    const command = await erase(office, copy, number);
    const alone = await rate(copy, others, sleep(15_000));
    const [program = '', ...args] = command.argv;
    const child = spawn(program, args, { env: { ...process.env, ...command.env }, stdio: 'ignore' });
    const erasing = peakMemory(child);
    const beside = await rate(copy, others, erasing);
    return { peak: ((await erasing).peak * 1024 * 1024) / 1e6, alone, beside };
  });
  return [
    {
      claim: `\`nestctl erasure run\` of a family with ${name} logs, over a bare DELETE of them with audit triggers on`,
      ratio: ratio(times.erase, times.bare),
      limit: { atMost: 2 },
      behind: `${ms(times.erase)} over ${ms(times.bare)}`,
    },
    {
      claim: 'writers of other families meanwhile, of their rate alone',
      ratio: beside / alone,
      limit: { atLeast: 0.9 },
      behind: `${beside.toFixed(0)} over ${alone.toFixed(0)} inserts a second`,
    },
    {
      claim: 'its peak memory, over 150 MB',
      ratio: peak / 150,
      limit: { atMost: 1 },
      behind: `${peak.toFixed(0)} MB`,
    },
  ];
}

/** Inserts a second of one writer, each a transaction, until the work is over. */
async function rate(database: TestDatabase, family: SmallFamily, work: Promise<unknown>): Promise<number> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  return await asService(database, async (connection) => {
    const began = performance.now();
    let inserted = 0;
    for (; !over; inserted += 1)
      await connection.query(
        `insert into public.usage_logs (family_id, child_id, usage_type) values ($1, $2, 'diaper_change')`,
        [family.id, family.child],
      );
    await done;
    return (inserted * 1000) / (performance.now() - began);
  });
}

async function deleteBare(database: TestDatabase, family: string): Promise<void> {
  await withConnection(database.superuser, async (connection) => {
    await connection.query('begin');
    for (const table of ['usage_logs', 'children', 'family_members'])
      await connection.query(`delete from public.${table} where family_id = $1`, [family]);
    await connection.query('delete from public.families where id = $1', [family]);
    await connection.query('commit');
  });
}
