/**
 * What every command of nestctl stands on. A command says what it takes, calls one operation and hands back data
 * with a view of it; flags, sessions, consent, output, errors, exit codes and interruption are settled here.
 *
 *     export default class FamilyList extends ConsoleCommand<typeof FamilyList> {
 *       static override summary = 'List families';
 *       static override examples = ['<%= config.bin %> <%= command.id %> --name Tremblay'];
 *       static override flags = { ...staffFlags, ...listFlags({ columns, default: 20, max: 200 }) };
 *
 *       async perform(): Promise<Outcome> {
 *         const { listFamilies } = await import('../../src/families/index.js');
 *         const page = await this.withSession(['support'], (session) => listFamilies(session, this.flags));
 *         return {
 *           result: { families: page.families },
 *           view: table(page.families, columns, 'No family matches.'),
 *           nextCursor: page.nextCursor,
 *         };
 *       }
 *     }
 *
 * A write returns `this.change({ plan, show, question, apply, done })` from within a session.
 */
import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { Interfaces } from '@oclif/core';
import { Command } from '@oclif/core/command';
import type { Context } from '../platform/config/contexts.js';
import type { Connection } from '../platform/database/connection.js';
import type { Duty } from '../platform/database/duties.js';
import type { Read } from '../platform/database/replica.js';
import type { Session, SessionPool } from '../platform/database/session.js';
import type { ConnectionTarget } from '../platform/database/target.js';
import { NestctlError } from '../platform/errors.js';
import { type Change, runChange } from './change.js';
import type { Ask } from './choices.js';
import { wantsJson } from './colour.js';
import { commandLine, withFlags, withoutFlag, withoutSwitch } from './command-line.js';
import { Connections } from './connections.js';
import { askConsent, askReason } from './consent.js';
import { askDirectories, type Directories } from './directory-choice.js';
import type { Sort } from './flags/row-flags.js';
import { globalFlags } from './flags/sets.js';
import { zoneOf } from './flags/time-range.js';
import { interruption, listenForInterruption } from './interrupt.js';
import { fillMissing, type Wanted } from './missing.js';
import { needsOf } from './needs.js';
import type { Outcome, Warning } from './outcome.js';
import type { OutputFile } from './output-file.js';
import { presentError } from './present-error.js';
import { type Format, printOutcome } from './print-outcome.js';
import { RunLog } from './run-log.js';
import { sortRows } from './sort-rows.js';
import { type Count, Stages } from './stages.js';
import { describeStatement } from './statement-line.js';
import { draw, keepClearOf, say, sayLoud } from './terminal.js';
import { bareFlag, withHelp } from './usage-error.js';
import { type Column, rawValue } from './views.js';

interface StaffFlagValues {
  readonly duty?: Duty;
  reason?: string | undefined;
  ticket?: string | undefined;
  readonly yes?: boolean;
  readonly 'dry-run'?: boolean;
  readonly quiet?: boolean;
  readonly zone?: string;
  readonly columns?: string[];
  readonly server?: 'auto' | 'primary' | 'replica';
  readonly sort?: Sort;
}

/** Duties that may ask the directory, from the narrowest. */
const LOOKING = ['support', 'compliance', 'admin'] as const;

export abstract class ConsoleCommand<T extends typeof Command> extends Command {
  static override baseFlags = globalFlags;

  protected flags!: Interfaces.InferredFlags<typeof globalFlags & T['flags']>;
  protected args!: Interfaces.InferredArgs<T['args']>;
  /** Ties together what this run of the command does in the audit log. */
  protected readonly request = randomUUID();

  readonly #typed: readonly string[] = [...this.argv];
  readonly #json = wantsJson(this.argv);
  readonly #warnings: Warning[] = [];
  readonly #interruption = listenForInterruption();
  readonly #stages = new Stages();
  readonly #log = new RunLog(
    {
      command: this.id ?? null,
      typed: this.#typed,
      known: Object.keys({ ...globalFlags, ...this.ctor.flags }),
      version: this.config.version,
      request: this.request,
    },
    () => ({ context: this.#connections?.contextName, duty: this.#connections?.actingAs }),
  );
  #watched = false;
  #file: OutputFile | undefined;
  #changing: boolean | undefined;
  #connections: Connections | undefined;
  #reason: Promise<string | undefined> | undefined;

  /** What the command does; see the top of this file. */
  protected abstract perform(): Promise<Outcome>;

  /** Whether an access grant says why, where neither flag nor environment does. */
  protected get purposeFromGrant(): boolean {
    return false;
  }

  /** How arguments and flags are asked for on a terminal, by name, where a list or a search can offer them. */
  protected readonly choices: Readonly<Record<string, Ask>> = {};

  /** Finds a missing `family` or `user` by typing, under the rules of the directory. */
  protected readonly directories: Directories | undefined = undefined;

  /** What to ask for on a terminal besides what is required. */
  protected wanted(): Wanted {
    return [];
  }

  /** Whether this run may change something and so needs a reason: a command with --dry-run, unless it says else. */
  protected get writes(): boolean {
    return 'dry-run' in (this.ctor.flags ?? {});
  }

  /** Whether stdout belongs to the envelope of --json. */
  protected get jsonWanted(): boolean {
    return this.#json;
  }

  /** Aborted by Ctrl-C. Whoever takes it promises to stop soon at a safe point. */
  protected get signal(): AbortSignal {
    this.#watched = true;
    return this.#interruption.signal;
  }

  /** The context chosen by --context, NESTCTL_CONTEXT or the file. */
  protected async context(): Promise<Context> {
    return await this.#connect.context();
  }

  /** The operator's own connection, for what takes a target instead of a session. */
  protected async operatorTarget(): Promise<ConnectionTarget> {
    return await this.#connect.operatorTarget();
  }

  /** The owner's connection, for `db …`. */
  protected async ownerTarget(): Promise<ConnectionTarget> {
    return await this.#connect.ownerTarget();
  }

  /**
   * Work in a staff session under --duty, else under the first of `duties` (from the narrowest) that the operator
   * holds. A write without a reason asks for one, or exits 7.
   */
  protected async withSession<R>(
    duties: readonly Duty[],
    work: (session: Session) => Promise<R>,
  ): Promise<R> {
    return await this.#connect.withSession(duties, work);
  }

  /**
   * As `withSession`, for heavy reads: what is written (grants, lookups) goes through the session, to the primary;
   * what is read goes through `read`, to the replica of the context where --server lets it.
   */
  protected async withReads<R>(
    duties: readonly Duty[],
    work: (session: Session, read: Read) => Promise<R>,
  ): Promise<R> {
    const warn = (code: string, message: string) => this.warning(code, message);
    return await this.#connect.withReads(
      duties,
      this.#staff.server ?? 'auto',
      { warn, tell: this.progress },
      work,
    );
  }

  /** What `readLog` takes where --include-archive is given. Throws `usage` for flags that do not go with it. */
  protected async archiveWish(flags: {
    readonly 'include-archive'?: boolean | undefined;
    readonly from?: string | undefined;
  }) {
    if (flags['include-archive'] !== true) return undefined;
    const { requireArchiveFlags, tellArchive } = await import('./archive-reading.js');
    requireArchiveFlags({ from: flags.from, server: this.#staff.server });
    return {
      context: await this.context(),
      signal: this.signal,
      ...tellArchive(this.progress, this.counted),
    };
  }

  /** As `withSession`, with up to `size` sessions for what is done side by side. */
  protected async withSessions<R>(
    duties: readonly Duty[],
    size: number,
    work: (pool: SessionPool) => Promise<R>,
  ): Promise<R> {
    return await this.#connect.withSessions(duties, size, work);
  }

  /** Work on the operator's connection without any duty, as `doctor` needs it. */
  protected async withConnection<R>(work: (connection: Connection) => Promise<R>): Promise<R> {
    return await this.#connect.withConnection(await this.operatorTarget(), work);
  }

  /** Work on the owner's connection. */
  protected async withOwner<R>(work: (connection: Connection) => Promise<R>): Promise<R> {
    return await this.#connect.withConnection(await this.ownerTarget(), work);
  }

  /** A write: shows the plan, asks, applies it. With --dry-run the plan is the outcome. */
  protected async change<Plan extends object, Done>(change: Change<Plan, Done>): Promise<Outcome> {
    this.#changing = false;
    return await runChange(change, {
      dryRun: this.#staff['dry-run'] === true,
      show: (view) => draw(view, process.stderr, { zone: zoneOf(this.#staff) }),
      announce: () => {
        if (this.#connect.banner !== undefined) sayLoud(this.#connect.banner);
      },
      consent: (question) => this.consent(question),
      writing: () => this.#connect.receipts.expect(),
      changing: () => {
        this.#changing = undefined;
      },
      context: () => this.#connect.contextName,
    });
  }

  /** Throws `needs_input` unless --yes was given or the person at the terminal says yes. */
  protected async consent(question: string): Promise<void> {
    await askConsent(question, { ...this.#asking, yes: this.#staff.yes === true });
  }

  /** Reason and ticket of a write outside of the database; without a reason it asks for one, or exits 7. */
  protected async why(): Promise<{ because: string | undefined; ticket: string | undefined }> {
    return { because: await this.#settleReason(), ticket: this.#staff.ticket };
  }

  /** Something a person and a script should know though all went well; nothing where there is no message. */
  protected warning(code: string, message: string | undefined): void {
    if (message === undefined) return;
    this.#warnings.push({ code, message });
    if (!this.#json) say(`! ${message}`);
  }

  /** Removes what a run that was killed has left beside a file that is about to be written, and says so. */
  protected async clearFor({ path, special }: OutputFile): Promise<void> {
    if (special) return;
    const { removeLeftovers } = await import('./partial-file.js');
    this.warning('leftover_removed', await removeLeftovers(path));
  }

  /** For what is printed as it comes: the file of --output, else stdout, made harmless as text or as JSON. */
  protected async printing<R>(kind: 'text' | 'json', produce: (sink: Writable) => Promise<R>): Promise<R> {
    const { printTo } = await import('./print-stream.js');
    return await printTo(this.#file, kind, produce);
  }

  /** What is going on now, on stderr; what was told before is over. Bound, to be handed to operations. */
  protected readonly progress = (message: string): void => this.#stages.begin(message);

  /** What was going on is over, and is remembered by this. Bound. */
  protected readonly finished = (message: string): void => this.#stages.finish(message);

  /** How far work has come that can be counted: a bar where the terminal can, else a line now and then. Bound. */
  protected readonly counted = (count: Count): void => this.#stages.count(count);

  /** One line with --verbose only. Never secrets, never row data. */
  protected readonly verbose = (message: string): void => {
    if (this.flags.verbose) say(`  ${message}`);
  };

  /** A whole list in the order of --sort; as it is without. */
  protected sorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): readonly Row[] {
    const { sort } = this.#staff;
    const column = columns.find(({ name }) => name === sort?.by);
    if (sort === undefined || column === undefined) return rows;
    return sortRows(rows, (row) => rawValue(column, row), sort.descending);
  }

  override async run(): Promise<void> {
    keepClearOf(this.#stages);
    await this.#parse();
    // Before anything is done, not when the result is printed.
    const zone = zoneOf(this.#staff);
    this.#file = await this.#outputFile();
    const work = async () => {
      await this.#fillMissing();
      return await this.perform();
    };
    const outcome = await this.#interruption.waitFor(work(), {
      watched: () => this.#watched,
      error: (failure) => interruption(this.#progressed, failure),
    });
    this.#stages.stop();
    await printOutcome(outcome, {
      format: this.#json ? 'envelope' : (this.flags.format as Format),
      file: this.#file,
      command: this.#name,
      context: this.#connect.contextName,
      warnings: this.#warnings,
      meta: {
        version: this.config.version,
        request: this.request,
        duty: this.#connect.actingAs,
        ...this.#connect.answeredBy,
        events: this.#connect.receipts.events,
      },
      receipt: this.#staff.quiet === true ? [] : this.#connect.receipts.lines,
      nextPage: (cursor) => this.#again([`--cursor=${cursor}`]),
      zone,
      columns: this.#staff.columns,
    });
    this.#log.end(Number(process.exitCode ?? 0));
    this.verbose(`took ${this.#log.elapsed} ms`);
  }

  override async catch(error: unknown): Promise<void> {
    // Else oclif warns of unparsed arguments where NODE_ENV is test or development.
    this.parsed = true;
    const left = error instanceof Error && error.name === 'ExitPromptError';
    const shown = left ? interruption(this.#progressed) : error;
    this.#stages.stop();
    presentError(shown, {
      json: this.#json,
      verbose: this.#typed.includes('--verbose'),
      command: this.#name,
      context: this.#connections?.contextName,
      contextFlag: this.flags?.context,
      again: commandLine([...this.#name.split(' '), ...this.#typed]),
      log: ({ code, exitCode }, unexpected) => this.#log.end(exitCode, { code, unexpected }),
      written: this.#connections?.receipts,
      request: this.request,
    });
  }

  override async finally(): Promise<void> {
    this.#interruption.dispose();
    // What was interrupted may still hold a connection open, and must not keep the process.
    if (this.#interruption.happened()) process.exit();
  }

  /** oclif's own warnings, such as for a deprecated flag. */
  override warn(input: Error | string): Error | string {
    this.warning('deprecated', typeof input === 'string' ? input : input.message);
    return input;
  }

  async #parse(): Promise<void> {
    const command = this.ctor as typeof ConsoleCommand;
    // Left to itself oclif takes a missing argument from a pipe: `yes | nestctl …` would name things.
    // Nor does it ask for what is required: we do, where there is somebody to ask.
    const { args, flags } = needsOf(command);
    const { baseFlags, strict } = command;
    const parsed = await this.parse({ flags, baseFlags, strict, args }).catch((error: unknown) => {
      throw withHelp(bareFlag(error, flags) ?? error, this.#help);
    });
    this.flags = parsed.flags as typeof this.flags;
    this.args = parsed.args as typeof this.args;
  }

  async #fillMissing(): Promise<void> {
    const found = askDirectories(
      this.directories,
      (work) => this.#connect.withSession(LOOKING, work),
      this.#staff,
    );
    const { needed } = needsOf(this.ctor as typeof ConsoleCommand, { ...found, ...this.choices });
    const words = await fillMissing(
      needed,
      { args: this.args, flags: this.flags },
      {
        json: this.#json,
        wanted: () => this.wanted(),
        help: this.#help,
      },
    );
    // What was answered, as a command to keep.
    if (words.length > 0) say(`  ${this.#again(words)}`);
  }

  get #progressed() {
    return { done: this.#stages.done, now: this.#stages.now, changing: this.#changing };
  }

  async #outputFile(): Promise<OutputFile | undefined> {
    const { output, overwrite, format } = this.flags;
    if (this.#staff.columns !== undefined && (this.#json || format === 'json')) {
      throw new NestctlError('--columns chooses from tables, csv and ndjson; JSON is always whole.', {
        kind: 'usage',
        code: 'columns_of_json',
      });
    }
    if (output === undefined || output === '-') return undefined;
    const { checkOutput } = await import('./output-file.js');
    const file = await checkOutput(output, overwrite);
    await this.clearFor(file);
    return file;
  }

  /** Flags that only some commands have. */
  get #staff(): StaffFlagValues {
    return this.flags as StaffFlagValues;
  }

  get #name(): string {
    return (this.id ?? '').replaceAll(':', ' ');
  }

  get #help(): string {
    return commandLine([...this.#name.split(' '), '--help']);
  }

  get #asking() {
    return { json: this.#json, again: (flags: readonly string[]) => this.#again(flags) };
  }

  get #connect(): Connections {
    this.#connections ??= new Connections({
      context: this.flags.context,
      duty: this.#staff.duty,
      ticket: () => this.#staff.ticket,
      request: this.request,
      command: this.#name,
      verbose: this.verbose,
      onStatement: this.flags.verbose ? (run) => say(`  ${describeStatement(run)}`) : undefined,
      // Once, though a command opens several sessions.
      reason: () => {
        this.#reason ??= this.#settleReason();
        return this.#reason;
      },
    });
    return this.#connections;
  }

  /** This command line again, with other flags. */
  #again(flags: readonly string[]): string {
    // The next page would replace the one in the file.
    const kept = withoutSwitch(withoutFlag(withoutFlag(this.#typed, 'cursor'), 'output'), 'overwrite');
    return commandLine([...this.#name.split(' '), ...withFlags(kept, flags)]);
  }

  async #settleReason(): Promise<string | undefined> {
    const { reason, 'dry-run': dryRun } = this.#staff;
    if (reason !== undefined || !this.writes || dryRun === true || this.purposeFromGrant) return reason;
    // Kept, so that nobody is asked twice.
    this.#staff.reason = await askReason(this.#asking);
    return this.#staff.reason;
  }
}
