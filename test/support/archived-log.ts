import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { archiveLog, planArchive } from '../../src/audit/index.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { type Duty, openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { type Finished, runConsole } from './console.js';
import type { ObjectServer } from './object-server.js';
import { seniors } from './old-events.js';
import { type SealedLog, sealedLog } from './sealed-log.js';

/** A sealed log whose context names a bucket of its own, with whoever archives, erases and asks. */
export interface ArchivedLog {
  readonly log: SealedLog;
  readonly context: Context;
  readonly bucket: string;
  readonly compliance: Session;
  /** A session of a new operator. */
  operator(duty: Duty): Promise<Session>;
  archive(): Promise<void>;
  /** As privacy erases somebody, in the database: an approved plan, used up by the transaction that erases. */
  erase(person: string, names: readonly string[], request: string): Promise<void>;
  /** The console as a process of the operator behind a session. */
  console(session: Session, ...args: string[]): Promise<Finished>;
  close(): Promise<void>;
}

export async function archivedLog(server: ObjectServer, bucket: string): Promise<ArchivedLog> {
  const log = await sealedLog();
  await server.makeBucket(bucket, { ObjectLockEnabledForBucket: true });
  vi.stubEnv('NESTCTL_HOME', log.home);
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
  const store = {
    endpoint: `http://127.0.0.1:${server.port}`,
    bucket,
    region: server.region,
    path_style: true,
  };
  const { host, port, database, user } = log.operator;
  const context: Context = { name: 'test', kind: 'server', host, port, database, user, object_store: store };
  const sessions: Session[] = [];
  const operator = async (duty: Duty) => {
    const target: ConnectionTarget = await log.database.makeOperator(duty);
    await seniors(log.superuser, target.user);
    const session = await openSession(target, { duty, reason: 'tests of archives' });
    sessions.push(session);
    return session;
  };
  const compliance = await operator('compliance');
  const approver = await operator('compliance');
  return {
    log,
    context,
    bucket,
    compliance,
    operator,
    archive: async () => {
      const plan = await planArchive(compliance, new Date(Date.now() - 100 * 86_400_000));
      await archiveLog(compliance, context, plan);
    },
    erase: async (person, names, request) => {
      const plan = JSON.stringify({ request, person, names });
      const { id } = await compliance.one<{ id: string }>(
        `select id from ops.request_approval('erasure', $1::jsonb, 'a request for erasure', 'PRIV-1')`,
        [plan],
      );
      await approver.query(`select ops.decide_approval($1, 'granted', 'checked the identity')`, [id]);
      await compliance.transaction(() =>
        compliance.query(
          `select e.request from ops.use_approval('erasure', $1::jsonb) u, audit.erase_subject(u) e`,
          [plan],
        ),
      );
    },
    console: async ({ target, duty }, ...args) => {
      const config = join(log.home, `contexts-${target.user}.toml`);
      await writeFile(
        config,
        [
          `[contexts.test]\nkind = "server"\nhost = "${host}"\nport = ${port}\ndatabase = "${database}"`,
          `user = "${target.user}"\npassword_env = "SECRET"\n[contexts.test.object_store]`,
          `endpoint = "${store.endpoint}"\nbucket = "${bucket}"\nregion = "${store.region}"\npath_style = true\n`,
        ].join('\n'),
        { mode: 0o600 },
      );
      return await runConsole([...args, '--duty', duty], {
        env: {
          NESTCTL_HOME: log.home,
          NESTCTL_CONFIG: config,
          SECRET: target.password as string,
          AWS_ACCESS_KEY_ID: server.keys.id,
          AWS_SECRET_ACCESS_KEY: server.keys.secret,
        },
      });
    },
    close: async () => {
      for (const session of sessions) await session.close();
      await log.close();
      vi.unstubAllEnvs();
    },
  };
}
