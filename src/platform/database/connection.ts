import pg from 'pg';
import type { Sql } from 'sql-template-tag';
import { NestctlError } from '../errors.js';
import { databaseError } from './errors.js';
import { passwordFor } from './password.js';
import { type ConnectionTarget, isLoopback } from './target.js';
import { sslOptions } from './tls.js';
import { typeParsers } from './types.js';

export interface ConnectOptions {
  /** Shown in pg_stat_activity and the server's log; `nestctl` when absent. */
  readonly applicationName?: string;
  /** Settings for the whole session, made in the same round trip as our own. `role` sets the role. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Longest wait for the server to answer, milliseconds; 10 s when absent. */
  readonly connectTimeout?: number;
  /** Longest wait for a lock, milliseconds; 10 s when absent, 0 for none. */
  readonly lockTimeout?: number;
  /** Longest run of one statement, milliseconds; none when absent. */
  readonly statementTimeout?: number;
  /** What the server says beside its results (RAISE NOTICE). */
  readonly onNotice?: (message: string) => void;
  /** Told of each statement that was run. */
  readonly onStatement?: ((statement: StatementRun) => void) | undefined;
}

/** A statement that was run. */
export interface StatementRun {
  /** As it was sent: values that were bound are not in it, those written into it are. */
  readonly text: string;
  /** Milliseconds, with the way to the server and back. */
  readonly duration: number;
  /** Null where it failed. */
  readonly rows: number | null;
}

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
}

export type Statement = Sql | string;

/**
 * One connection to PostgreSQL. Every error it throws is a NestctlError without row data.
 *
 * Values come back as: int8 and numeric as strings, timestamptz as Date, date, timestamp and interval as
 * text, json parsed.
 */
export class Connection {
  readonly target: ConnectionTarget;
  /** The driver's client, for COPY and LISTEN. */
  readonly client: pg.Client;
  /** Set by what writes to audited tables on its own, so that the audit log is asked for a receipt in the end. */
  wrote = false;
  #inTransaction = false;
  readonly #onStatement: ConnectOptions['onStatement'];
  #lost: Error | undefined;

  constructor(client: pg.Client, target: ConnectionTarget, onStatement?: ConnectOptions['onStatement']) {
    this.client = client;
    this.target = target;
    this.#onStatement = onStatement;
    // Without a listener a server that goes away between two statements would end the process.
    client.on('error', (error) => {
      this.#lost = error;
    });
  }

  /** The rows of one statement. */
  async query<T>(statement: Statement, values?: readonly unknown[]): Promise<T[]> {
    const result = await this.queryResult(statement, values);
    return result.rows as T[];
  }

  /** The only row of a statement; throws `not_found` where there is none. */
  async one<T>(statement: Statement, values?: readonly unknown[]): Promise<T> {
    const [row] = await this.query<T>(statement, values);
    if (row === undefined) throw new NestctlError('Nothing was found.', { kind: 'not_found' });
    return row;
  }

  /** The driver's whole result: rows, rowCount, command, fields. */
  async queryResult(statement: Statement, values?: readonly unknown[]): Promise<pg.QueryResult> {
    const started = performance.now();
    let rows: number | null = null;
    try {
      if (this.#lost !== undefined) throw this.#lost;
      const result =
        typeof statement === 'string'
          ? await this.client.query(statement, values as unknown[] | undefined)
          : await this.client.query({ text: statement.text, values: statement.values });
      rows = result.rowCount ?? 0;
      return result;
    } catch (error) {
      throw databaseError(this.#lost ?? error, this.target);
    } finally {
      const text = typeof statement === 'string' ? statement : statement.text;
      this.#onStatement?.({ text, duration: performance.now() - started, rows });
    }
  }

  /**
   * Runs `work` in one transaction: committed when it returns, rolled back when it throws. Does not nest.
   * Throws `outcome_unknown` where the connection was lost while committing.
   */
  async transaction<T>(work: () => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.#inTransaction) throw new Error('a transaction is already open on this connection');
    await this.queryResult(
      `begin isolation level ${options.isolation ?? 'read committed'} ${options.readOnly === true ? 'read only' : 'read write'}`,
    );
    this.#inTransaction = true;
    try {
      const result = await work();
      await this.#commit();
      return result;
    } catch (error) {
      // The first error is the one to report: a rollback fails only where the connection is gone too.
      await this.client.query('rollback').catch(() => undefined);
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  async #commit(): Promise<void> {
    const { command } = await this.queryResult('commit').catch((error: unknown) => {
      if (!(error instanceof NestctlError) || error.code !== 'connection_lost') throw error;
      throw new NestctlError('The connection was lost while committing: the change may have been made.', {
        kind: 'failure',
        code: 'outcome_unknown',
        hint: 'Look whether it is there before running the command again.',
        cause: error,
      });
    });
    // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK and no error.
    if (command !== 'COMMIT') throw new Error('the transaction had failed and was rolled back');
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** Opens a connection. Throws a NestctlError that says what is wrong and what to do. */
export async function connect(target: ConnectionTarget, options: ConnectOptions = {}): Promise<Connection> {
  const client = new pg.Client(await clientConfig(target, options));
  const connection = new Connection(client, target, options.onStatement);
  if (options.onNotice !== undefined) tellNotices(client, options.onNotice);
  try {
    await client.connect();
    await applySettings(client, options);
    return connection;
  } catch (error) {
    await connection.close();
    throw databaseError(error, target);
  }
}

/** Opens a connection for one piece of work and closes it, whatever happens. */
export async function withConnection<T>(
  target: ConnectionTarget,
  work: (connection: Connection) => Promise<T>,
  options: ConnectOptions = {},
): Promise<T> {
  const connection = await connect(target, options);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** What the driver is told of a target. */
export async function clientConfig(
  target: ConnectionTarget,
  options: ConnectOptions,
): Promise<pg.ClientConfig> {
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    password: () => passwordFor(target),
    ssl: await sslOptions(target),
    application_name: options.applicationName ?? 'nestctl',
    connectionTimeoutMillis: options.connectTimeout ?? 10_000,
    keepAlive: !isLoopback(target.host),
    types: typeParsers,
  };
}

export function tellNotices(client: pg.Client, tell: (message: string) => void): void {
  client.on('notice', (notice) => tell(notice.message ?? ''));
}

/** Makes our own settings and the given ones, for the whole session and in one round trip. */
export async function applySettings(client: pg.ClientBase, options: ConnectOptions): Promise<void> {
  const settings: Record<string, string> = {
    DateStyle: 'ISO, YMD',
    TimeZone: 'UTC',
    lock_timeout: String(options.lockTimeout ?? 10_000),
    ...(options.statementTimeout === undefined
      ? {}
      : { statement_timeout: String(options.statementTimeout) }),
    ...options.settings,
  };
  const names = Object.keys(settings);
  const calls = names.map((_, at) => `set_config($${2 * at + 1}, $${2 * at + 2}, false)`);
  // An interrupted console must not leave its query running; servers that cannot watch their client refuse it.
  calls.push(
    `case when version() ~* 'linux|darwin|freebsd' then set_config('client_connection_check_interval', '2s', false) end`,
  );
  await client.query(
    `select ${calls.join(', ')}`,
    names.flatMap((name) => [name, settings[name]]),
  );
}
