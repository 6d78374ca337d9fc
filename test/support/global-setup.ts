import { makeTemplate } from './database.js';
import { type OwnServer, startTestServer } from './server.js';
import { workers } from './workers.js';

/**
 * One embedded server for each worker, since roles are shared by all databases of one, each with the migrated template
 * that createTestDatabase copies. Where NESTCTL_TEST_SERVERS names servers already, those are used as they are.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.NESTCTL_TEST_SERVERS !== undefined) return undefined;
  const started = await Promise.allSettled(Array.from({ length: workers() }, startWithTemplate));
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  process.env.NESTCTL_TEST_SERVERS = JSON.stringify(
    servers.map(({ host, port, superuser, passwords }) => ({ host, port, superuser, passwords })),
  );
  return stop;
}

async function startWithTemplate(): Promise<OwnServer> {
  const server = await startTestServer();
  try {
    await makeTemplate(server);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
