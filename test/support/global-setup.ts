import { makeTemplate } from './database.js';
import { startTestServer } from './server.js';

/**
 * One embedded server for the whole run, with the migrated template that createTestDatabase copies.
 * Where NESTCTL_TEST_SERVER names a server already, that one is used as it is.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.NESTCTL_TEST_SERVER !== undefined) return undefined;
  const server = await startTestServer();
  try {
    await makeTemplate(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { host, port, superuser, passwords } = server;
  process.env.NESTCTL_TEST_SERVER = JSON.stringify({ host, port, superuser, passwords });
  return () => server.stop();
}
