import type { Connection } from '../platform/database/connection.js';
import type { Receipt } from '../platform/database/receipt.js';
import { commandLine } from './command-line.js';

/** Tables named in the line of a receipt. */
const NAMED = 6;

interface Run {
  readonly request: string;
  /** The value of --context, which a next command needs too. */
  readonly context: string | undefined;
}

/** What a run has written, asked of the audit log once for each session that wrote. */
export class Receipts {
  readonly #run: Run;
  #expected = false;
  #open = 0;
  #receipt: Receipt | undefined;
  #unknown = false;

  constructor(run: Run) {
    this.#run = run;
  }

  /** From now on something may be written. */
  expect(): void {
    this.#expected = true;
  }

  /** A session has begun, which ends with `take`. */
  begin(): void {
    this.#open += 1;
  }

  /** Asks, where something may have been written. Never throws: what was done is done, and is told by others. */
  async take(connection: Connection): Promise<void> {
    if (!this.#expected && !connection.wrote) {
      this.#open -= 1;
      return;
    }
    const { readReceipt } = await import('../platform/database/receipt.js');
    try {
      this.#receipt = await readReceipt(connection);
      this.#unknown = false;
    } catch {
      this.#unknown = true;
    }
    this.#open -= 1;
    this.#expected = false;
    connection.wrote = false;
  }

  /** For `meta.events`; null where it is not known what was committed, undefined where nothing was. */
  get events(): (Receipt & { readonly look: string }) | null | undefined {
    // Interrupted, it may still be at work.
    if (this.#unknown || (this.#expected && this.#open > 0)) return null;
    return this.#receipt && { ...this.#receipt, look: this.#look(this.#receipt) };
  }

  /** For people; none where nothing was written. */
  get lines(): readonly string[] {
    const { events } = this;
    if (events === undefined) return [];
    if (events === null) {
      return ['! What was written is not known; the audit log tells:', `  ${this.#query(this.#run.request)}`];
    }
    return [`· ${said(events)}`, `  ${events.look}`];
  }

  /** What a move of rows wrote has a request of its own. */
  #look({ transactions }: Receipt): string {
    const [largest] = [...transactions].sort((a, b) => b.count - a.count);
    return this.#query(largest?.request ?? this.#run.request);
  }

  #query(request: string): string {
    const { context } = this.#run;
    const where = context === undefined ? [] : ['--context', context];
    return commandLine(['audit', 'query', '--request', request, ...where]);
  }
}

function said({ count, tables, first, transaction_count: transactions }: Receipt): string {
  const [one] = first;
  const named = tables.slice(0, NAMED).map(({ table, operation, count: events }) => {
    const what = `${operation} ${table.replace(/^public\./, '')}`;
    return count === 1 ? what : `${what} ${events}`;
  });
  if (tables.length > NAMED) named.push(`and ${tables.length - NAMED} more`);
  const what = named.join(', ');
  if (count === 1) return `audit event ${one?.event}, transaction ${one?.transaction}: ${what}`;
  const within = transactions === 1 ? `transaction ${one?.transaction}` : `${transactions} transactions`;
  return `${count} audit events from ${one?.event} on, ${within}: ${what}`;
}
