import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { contextFile, runConsole } from './console.js';
import { createTestDatabase, makeTemplate, type TestDatabase } from './database.js';
import { type OwnServer, startTestServer } from './server.js';

// biome-ignore lint/suspicious/noExplicitAny: tests state the shape they expect
type Json = any;

/** The embedded server as `local up` leaves it, archiving from the start, and a console with a context of the kind local. */
export interface ArchivingServer {
  readonly server: OwnServer;
  readonly database: TestDatabase;
  /** The folder that its WAL is archived to, and the one with its backups. */
  readonly wal: string;
  readonly backups: string;
  readonly env: Readonly<Record<string, string>>;
  json(...words: string[]): Promise<{ code: number; body: Json }>;
  stop(): Promise<void>;
}

export async function startArchiving(): Promise<ArchivingServer> {
  const server = await startTestServer({ settings: { archive_mode: true, full_page_writes: true } });
  await makeTemplate(server);
  const database = await createTestDatabase({ server });
  const [operator] = database.operators;
  const passfile = join(server.folder, 'local', 'pgpass');
  const { env: named } = await contextFile(
    [
      '[contexts.here]',
      ...['kind = "local"', `host = "${server.host}"`, `port = ${server.port}`],
      ...[`database = "${database.name}"`, `user = "${operator.user}"`, `passfile = "${passfile}"`],
    ].join('\n'),
  );
  const env = { ...named, NESTCTL_HOME: server.folder, TZ: 'UTC' };
  return {
    ...{ server, database, env, wal: join(server.folder, 'local', 'wal') },
    backups: join(server.folder, 'local', 'backups'),
    async json(...words) {
      const { code, stdout, stderr } = await runConsole([...words, '--json'], { env });
      try {
        return { code: code ?? -1, body: JSON.parse(stdout) };
      } catch {
        throw new Error(`no JSON: ${stdout}\n${stderr}`);
      }
    },
    async stop() {
      // What a failed test has left.
      for (const id of await readdir(join(server.folder, 'restores')).catch(() => []))
        await runConsole(['restore', 'discard', id, '--yes', '--reason', 'the test is over'], { env });
      await server.stop();
    },
  };
}
