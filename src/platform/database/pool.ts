import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { NestctlError } from '../errors.js';
import { applySettings, Connection, type ConnectOptions, clientConfig, tellNotices } from './connection.js';
import { databaseError } from './errors.js';
import { passwordFor } from './password.js';
import type { ConnectionTarget } from './target.js';

export interface PoolOptions extends ConnectOptions {
  /** Most connections at once; 4 when absent. */
  readonly size?: number;
}

/** How long work that is still going on may delay the end, milliseconds. */
const PATIENCE = 2_000;

/** A few connections to one server for statements side by side. Opened as they are needed. */
export interface ConnectionPool {
  /**
   * Work on a connection of its own. Whatever it leaves behind (role, settings, prepared statements, temporary
   * tables, advisory locks, LISTEN) is gone before anybody else gets the connection; one that was left within a
   * transaction, or broke, is thrown away.
   * `abandon` ends the connection under work that does not stop by itself, and throws `abandoned`.
   */
  use<T>(work: (connection: Connection) => Promise<T>, abandon?: AbortSignal): Promise<T>;
  /** Ends all connections; work that does not come to its end within two seconds is cut off. */
  close(): Promise<void>;
}

/** Opens no connection yet. */
export async function openPool(target: ConnectionTarget, options: PoolOptions = {}): Promise<ConnectionPool> {
  // A program that gives the password may ask a person: once, not for every connection.
  let password: Promise<string> | undefined;
  const passwordOnce = () => {
    password ??= passwordFor(target);
    return password;
  };
  const config = { ...(await clientConfig(target, options)), password: passwordOnce };
  const pool = new pg.Pool({
    ...config,
    // The driver would also limit how long one waits for a connection that others are working on.
    connectionTimeoutMillis: 0,
    Client: class extends pg.Client {
      constructor() {
        super(config);
      }
    },
    max: options.size ?? 4,
    // The process lives for one command, and ends its connections itself.
    idleTimeoutMillis: 0,
  });
  // Without a listener an idle connection that the server cuts off would end the process; the pool drops it.
  pool.on('error', () => undefined);
  const known = new WeakMap<pg.PoolClient, Connection>();
  const busy = new Set<pg.PoolClient>();
  const returning = new Set<Promise<void>>();
  let closing = false;
  let closed: Promise<void> | undefined;

  const prepare = async (client: pg.PoolClient): Promise<Connection> => {
    const there = known.get(client);
    if (there !== undefined) return there;
    if (options.onNotice !== undefined) tellNotices(client as unknown as pg.Client, options.onNotice);
    const connection = new Connection(client as unknown as pg.Client, target, options.onStatement);
    await applySettings(client, options);
    known.set(client, connection);
    return connection;
  };

  const giveBack = async (client: pg.PoolClient): Promise<void> => {
    if (!busy.delete(client)) return;
    try {
      if (closing) throw new Error('not needed any more');
      // Refused within a transaction: whoever left one open loses the connection too.
      await client.query('discard all');
      await applySettings(client, options);
      client.release();
    } catch {
      client.release(true);
    }
  };

  const take = async (): Promise<{ client: pg.PoolClient; connection: Connection }> => {
    try {
      const client = await pool.connect();
      busy.add(client);
      try {
        return { client, connection: await prepare(client) };
      } catch (error) {
        busy.delete(client);
        client.release(true);
        throw error;
      }
    } catch (error) {
      throw databaseError(error, target);
    }
  };

  const end = async (): Promise<void> => {
    closing = true;
    const drained = Promise.allSettled([...returning]).then(() => pool.end());
    const late = sleep(PATIENCE, 'late', { ref: false });
    if ((await Promise.race([drained, late])) !== 'late') return;
    for (const client of busy) {
      busy.delete(client);
      client.release(true);
    }
  };

  return {
    async use(work, abandon) {
      const { client, connection } = await take();
      const cutOff = new Promise<never>((_, reject) => {
        abandon?.addEventListener('abort', () => {
          if (busy.delete(client)) client.release(true);
          reject(
            new NestctlError('Work that did not stop in time was abandoned.', {
              kind: 'failure',
              code: 'abandoned',
            }),
          );
        });
      });
      try {
        return await (abandon === undefined ? work(connection) : Promise.race([work(connection), cutOff]));
      } finally {
        // Nobody has to wait for the cleaning but whoever needs this very connection.
        const done = giveBack(client).finally(() => returning.delete(done));
        returning.add(done);
      }
    },
    close: () => {
      closed ??= end();
      return closed;
    },
  };
}

/** A pool for one piece of work, closed whatever happens. */
export async function withPool<T>(
  target: ConnectionTarget,
  work: (pool: ConnectionPool) => Promise<T>,
  options: PoolOptions = {},
): Promise<T> {
  const pool = await openPool(target, options);
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}
