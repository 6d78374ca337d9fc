import type { Context } from '../platform/config/contexts.js';
import type { Connection, StatementRun } from '../platform/database/connection.js';
import type { Duty } from '../platform/database/duties.js';
import type { AnsweredBy, Read } from '../platform/database/replica.js';
import type { Session, SessionPool, SessionPurpose } from '../platform/database/session.js';
import type { ConnectionTarget } from '../platform/database/target.js';
import { NestctlError } from '../platform/errors.js';
import { openUnderDuty } from './choose-duty.js';
import { Receipts } from './receipts.js';

/** How long a replica may take to replay what was committed before the question; milliseconds. */
const REPLICA_PATIENCE = 2_000;

export interface ConnectionOptions {
  /** The value of --context. */
  readonly context: string | undefined;
  /** The value of --duty. */
  readonly duty: Duty | undefined;
  readonly ticket: () => string | undefined;
  readonly request: string;
  /** The command words, such as `family list`. */
  readonly command: string;
  readonly verbose: (message: string) => void;
  /** Told of each statement: its own text without any value, how long it took, and its rows. */
  readonly onStatement?: ((statement: StatementRun) => void) | undefined;
  /** Settles why, before anything connects. */
  readonly reason: () => Promise<string | undefined>;
}

/** What one run of a command connects to: which context, which server, and as whom. */
export class Connections {
  /** What was written, by the end of each session. */
  readonly receipts: Receipts;
  readonly #options: ConnectionOptions;
  #context: Context | undefined;
  #answeredBy: AnsweredBy | undefined;
  #acting: { readonly target: ConnectionTarget; readonly as: string } | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.receipts = new Receipts(options);
  }

  /** Name of the context, once one was chosen. */
  get contextName(): string | undefined {
    return this.#context?.name;
  }

  /** The duty acted under, `owner` or `no duty`, once something connected. */
  get actingAs(): string | undefined {
    return this.#acting?.as;
  }

  /** Where a write is about to land and as whom, on one line. */
  get banner(): string | undefined {
    if (this.#acting === undefined) return undefined;
    const { target, as } = this.#acting;
    return `context ${this.contextName} · ${target.host}:${target.port}/${target.database} · ${target.user} · ${as}`;
  }

  async context(): Promise<Context> {
    const { resolveContext } = await import('../platform/config/contexts.js');
    this.#context ??= await resolveContext(this.#options.context);
    return this.#context;
  }

  async operatorTarget(): Promise<ConnectionTarget> {
    const { operatorTarget } = await import('../platform/config/contexts.js');
    return this.#actAs(operatorTarget(await this.context()), 'no duty');
  }

  async ownerTarget(): Promise<ConnectionTarget> {
    const { ownerTarget } = await import('../platform/config/contexts.js');
    return this.#actAs(ownerTarget(await this.context()), 'owner');
  }

  async withSession<R>(duties: readonly Duty[], work: (session: Session) => Promise<R>): Promise<R> {
    const { openSession } = await import('../platform/database/session.js');
    return await this.#underDuty(
      duties,
      (target, purpose) => openSession(target, purpose, this.#server),
      work,
      (session) => this.receipts.take(session),
    );
  }

  /** Who answered what was read, for the envelope; nothing where only one could. */
  get answeredBy(): { readonly server?: string; readonly replica_lag_ms?: number } {
    const by = this.#answeredBy;
    if (by === undefined) return {};
    return by.server === 'primary' ? { server: by.server } : { server: by.server, replica_lag_ms: by.lag };
  }

  async withReads<R>(
    duties: readonly Duty[],
    server: 'auto' | 'primary' | 'replica',
    say: {
      readonly warn: (code: string, message: string) => void;
      readonly tell: (message: string) => void;
    },
    work: (session: Session, read: Read) => Promise<R>,
  ): Promise<R> {
    const { replicaTarget } = await import('../platform/config/contexts.js');
    const { readOnReplica } = await import('../platform/database/replica.js');
    const { requirePrimary } = await import('../platform/database/wal-place.js');
    const target = server === 'primary' ? undefined : replicaTarget(await this.context());
    if (target === undefined && server === 'replica') throw noReplica(await this.context());
    return await this.withSession(duties, async (session) => {
      let usable = target !== undefined;
      const answered = (by: AnsweredBy) => {
        // One part from the primary, and the whole is no replica's.
        if (this.#answeredBy?.server !== 'primary') this.#answeredBy = by;
      };
      const read: Read = async (part) => {
        if (target === undefined || !usable) {
          answered({ server: 'primary' });
          return await part(session);
        }
        const { ticket, request } = this.#options;
        const { value, by } = await readOnReplica(
          session,
          {
            mode: server === 'replica' ? 'replica' : 'auto',
            target,
            purpose: { duty: session.duty, ticket: ticket(), request },
            connect: this.#server,
            patience: REPLICA_PATIENCE,
            tell: (code, message) => {
              usable = false;
              say.warn(code, message);
            },
          },
          part,
        );
        answered(by);
        if (by.server === 'replica') {
          const late = by.lag === 0 ? 'up to date' : `waited for, ${by.lag} ms`;
          say.tell(`answered by the replica ${by.host}, ${late}`);
        }
        return value;
      };
      return await work(session, read).catch(async (error: unknown) => {
        // A question is put on record before it is read, and may so be the first to find out.
        const readOnly = error instanceof NestctlError && error.code === 'read_only_server';
        if (readOnly && target !== undefined) await requirePrimary(session);
        throw error;
      });
    });
  }

  async withSessions<R>(
    duties: readonly Duty[],
    size: number,
    work: (pool: SessionPool) => Promise<R>,
  ): Promise<R> {
    const { openSessionPool } = await import('../platform/database/session.js');
    return await this.#underDuty(
      duties,
      (target, purpose) => openSessionPool(target, purpose, { ...this.#server, size }),
      work,
      // Without a session to ask in, it stays unknown.
      (pool) => pool.use((session) => this.receipts.take(session)).catch(() => undefined),
    );
  }

  async withConnection<R>(
    target: ConnectionTarget,
    work: (connection: Connection) => Promise<R>,
  ): Promise<R> {
    const { withConnection } = await import('../platform/database/connection.js');
    const settings = { 'nestsync.request': this.#options.request };
    return await withConnection(
      target,
      async (connection) => {
        this.receipts.begin();
        try {
          return await work(connection);
        } finally {
          await this.receipts.take(connection);
        }
      },
      { ...this.#server, settings },
    );
  }

  async #underDuty<S extends { readonly duty: Duty; close(): Promise<void> }, R>(
    duties: readonly Duty[],
    open: (target: ConnectionTarget, purpose: SessionPurpose) => Promise<S>,
    work: (opened: S) => Promise<R>,
    takeReceipt: (opened: S) => Promise<void>,
  ): Promise<R> {
    const { operatorTarget } = await import('../platform/config/contexts.js');
    const target = operatorTarget(await this.context());
    const { ticket, request, verbose } = this.#options;
    const reason = await this.#options.reason();
    verbose(`connecting as ${target.user} to ${target.host}:${target.port}/${target.database}`);
    const opened = await openUnderDuty(duties, this.#options.duty, (duty) =>
      open(target, { duty, reason, ticket: ticket(), request }),
    );
    this.receipts.begin();
    try {
      this.#actAs(target, opened.duty);
      return await work(opened);
    } finally {
      await takeReceipt(opened);
      await opened.close();
    }
  }

  get #server() {
    const { command, verbose, onStatement } = this.#options;
    return { applicationName: `nestctl ${command}`, onNotice: verbose, onStatement };
  }

  #actAs(target: ConnectionTarget, as: string): ConnectionTarget {
    this.#acting = { target, as };
    this.#options.verbose(
      `working as ${target.user}, ${as}, on ${target.host}:${target.port}/${target.database}`,
    );
    return target;
  }
}

function noReplica({ name }: Context): NestctlError {
  return new NestctlError(`The context "${name}" names no replica.`, {
    kind: 'conflict',
    code: 'no_replica',
    hint: `Add one with --replica-host, or leave --server out.`,
    next: `nestctl context show ${name}`,
  });
}
