import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { TestDatabase } from '../../support/database.js';
import { type ObjectServer, startObjectServer } from '../../support/object-server.js';
import { newHome, openSealedLog } from '../../support/sealed-log.js';
import { withDatabase } from '../support/databases.js';
import { makeEvents } from '../support/events.js';
import type { Figure, Finding } from '../support/figure.js';
import { type Command, megabytes, needs } from '../support/programs.js';

const BUCKET = 'archives';
const STEPS = [
  ['seal'],
  ['export'],
  ['verify'],
  ['archive', '--older-than', '1d', '--yes'],
  ['seal'],
  ['verify'],
];
/** From this step on the events lie in the store. */
const ARCHIVED = 4;

export const auditMemory: Figure = {
  title: 'Memory over the audit log',
  measure: async (bench) => {
    await needs('radosgw', 'apt-get install -y radosgw ceph-mon ceph-osd ceph-common');
    const count = bench.quick ? 200_000 : 10_000_000;
    const name = count.toLocaleString('en-CA');
    const folder = await bench.folder();
    const store = await startObjectServer();
    try {
      await store.makeBucket(BUCKET, { ObjectLockEnabledForBucket: true });
      return await withDatabase(bench, async (database) => {
        bench.say(`making ${name} events`);
        const now = new Date();
        const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
        await makeEvents(database, count, { until: month, deletes: true });
        const home = newHome();
        const log = await openSealedLog(database, await database.makeOperator('sre'), home);
        try {
          const command = await consoleOf(folder, home, database, store);
          const peaks: [what: string, megabytes: number][] = [];
          for (const args of STEPS) {
            bench.say(`audit ${args[0]}`);
            const peak = await megabytes(command(args));
            // At once: a run takes hours, and one that is ended keeps what it has seen.
            bench.say(`audit ${args[0]}: ${peak.toFixed(0)} MB`);
            peaks.push([`audit ${args[0]}`, peak]);
          }
          const left = await log.superuser.query('select from audit.events where occurred_at < $1 limit 1', [
            month,
          ]);
          if (left.length > 0) throw new Error('not all of them were archived');
          return {
            findings: peaks.map(
              ([what, memory], at): Finding => ({
                claim: `peak memory of \`nestctl ${what}\` over ${name} ${at < ARCHIVED ? 'events' : 'archived events'}, over 200 MB`,
                ratio: memory / 200,
                limit: { atMost: 1 },
                behind: `${memory.toFixed(0)} MB`,
              }),
            ),
            notes: [
              `Whole processes, as the kernel counted them. The events are of 75 days and ${Math.ceil(count / 500).toLocaleString('en-CA')} families, with their true leaves; archives go to a RADOS Gateway of its own under Object Lock.`,
            ],
          };
        } finally {
          await log.leave();
        }
      });
    } finally {
      await store.stop();
    }
  },
};

/** The console as somebody runs it who may do all of it, with a store. */
async function consoleOf(
  folder: string,
  home: string,
  database: TestDatabase,
  store: ObjectServer,
): Promise<(args: readonly string[]) => Command> {
  const admin = await database.makeOperator('admin');
  const config = join(folder, 'contexts.toml');
  await writeFile(
    config,
    `current = "test"\n[contexts.test]\nkind = "server"\nhost = "${admin.host}"\nport = ${admin.port}\n` +
      `database = "${admin.database}"\nuser = "${admin.user}"\npassword_env = "PASSWORD"\n` +
      `[contexts.test.object_store]\nendpoint = "http://127.0.0.1:${store.port}"\nbucket = "${BUCKET}"\n` +
      `region = "${store.region}"\npath_style = true\n`,
    { mode: 0o600 },
  );
  const env = {
    NESTCTL_HOME: home,
    NESTCTL_CONFIG: config,
    PASSWORD: admin.password as string,
    AWS_ACCESS_KEY_ID: store.keys.id,
    AWS_SECRET_ACCESS_KEY: store.keys.secret,
  };
  return (args) => ({
    argv: [process.execPath, join(packageRoot(), 'bin', 'run.js'), 'audit', ...args, '--reason', 'a figure'],
    env,
  });
}
