import { EXIT } from '../platform/errors.js';
import { paintFor } from './colour.js';
import type { Outcome, Warning } from './outcome.js';
import type { OutputFile } from './output-file.js';
import { safeJson } from './safe-text.js';
import { say, sayNext } from './terminal.js';
import type { TableView, View } from './views.js';

export type Format = 'envelope' | 'json' | 'ndjson' | 'csv' | 'table' | 'sarif';

export interface OutcomeScreen {
  readonly format: Format;
  /** Where the result goes instead of stdout. */
  readonly file: OutputFile | undefined;
  readonly command: string;
  readonly context: string | undefined;
  readonly warnings: readonly Warning[];
  /** Facts about this run: request, duty, version, who answered, what was written. */
  readonly meta: Readonly<Record<string, string | number | object | null | undefined>>;
  /** Lines on what was written, for people. */
  readonly receipt: readonly string[];
  /** The command line that shows the page after this cursor. */
  readonly nextPage: (cursor: string) => string;
  readonly zone: string;
  readonly columns: readonly string[] | undefined;
}

/** Prints what a command handed back, and sets the exit code first: a reader may close the pipe half way. */
export async function printOutcome(outcome: Outcome, screen: OutcomeScreen): Promise<void> {
  const { format, file } = screen;
  process.exitCode = EXIT[outcome.verdict ?? 'done'];
  const next = outcome.nextCursor === undefined ? outcome.next : screen.nextPage(outcome.nextCursor);
  // The file holds what was printed already; the envelope tells of it on stdout.
  const receipt = format === 'envelope' ? [] : screen.receipt;
  if (outcome.printed === true && format !== 'envelope') return receipt.forEach(say);
  const notes: string[] = [];
  const document = await documentOf(outcome, screen, { next, note: (text) => notes.push(text) });
  if (file !== undefined && outcome.printed !== true) await toFile(document, file, rowsOf(outcome));
  else if (format === 'envelope' || !(await paged(document))) process.stdout.write(document);
  for (const line of [...notes, ...receipt]) say(line);
  // What comes next in a program is the program's business, but for rows that it would miss.
  if (format === 'envelope' || next === undefined) return;
  if (format === 'table' || outcome.nextCursor !== undefined) sayNext(next);
}

interface Beside {
  readonly next: string | undefined;
  readonly note: (text: string) => void;
}

async function documentOf(outcome: Outcome, screen: OutcomeScreen, beside: Beside): Promise<string> {
  const { format, columns, file } = screen;
  const onTerminal = file === undefined && process.stdout.isTTY === true;
  switch (format) {
    case 'envelope':
      return `${safeJson(envelopeOf(outcome, screen, beside.next), 2)}\n`;
    case 'json':
      return `${safeJson(outcome.result, 2)}\n`;
    case 'sarif':
      return `${safeJson(outcome.document?.() ?? outcome.result, 2)}\n`;
    case 'ndjson': {
      const { renderNdjson } = await import('./render/rows.js');
      return renderNdjson(needRows(outcome), columns);
    }
    case 'csv': {
      const { renderCsv } = await import('./render/rows.js');
      return await renderCsv(needRows(outcome), columns, { onTerminal });
    }
    case 'table': {
      const { render } = await import('./render/index.js');
      return render(tableView(outcome, columns), {
        width: onTerminal && process.stdout.columns > 0 ? process.stdout.columns : undefined,
        paint: file === undefined ? paintFor(process.stdout) : (_, text) => text,
        note: beside.note,
        zone: screen.zone,
        columns,
      });
    }
  }
}

function envelopeOf(outcome: Outcome, screen: OutcomeScreen, next: string | undefined) {
  return {
    ok: true,
    command: screen.command,
    context: screen.context ?? null,
    result: outcome.result,
    warnings: screen.warnings,
    meta: {
      ...screen.meta,
      cache_age_ms: outcome.cacheAge,
      exit_code: EXIT[outcome.verdict ?? 'done'],
      next: next ?? null,
      next_cursor: outcome.nextCursor ?? null,
    },
  };
}

/** Columns are of rows: whoever asks for some sees the rows, where the view shows them otherwise. */
function tableView(outcome: Outcome, columns: readonly string[] | undefined): View | readonly View[] {
  return columns === undefined || outcome.rows === undefined ? outcome.view : outcome.rows;
}

function rowsOf({ rows, view }: Outcome): TableView | undefined {
  if (rows !== undefined) return rows;
  const views = Array.isArray(view) ? (view as readonly View[]) : [view as View];
  const tables = views.filter((one) => one.kind === 'table');
  return tables.length === 1 ? tables[0] : undefined;
}

function needRows(outcome: Outcome): TableView {
  const rows = rowsOf(outcome);
  if (rows === undefined) throw new Error('a command with these formats must hand back rows');
  return rows;
}

async function toFile(document: string, file: OutputFile, rows: TableView | undefined): Promise<void> {
  const { writeOutput } = await import('./output-file.js');
  await writeOutput(file, document);
  const count = rows?.rows.length;
  const what = count === undefined ? 'The result' : count === 1 ? '1 row' : `${count} rows`;
  say(`${what} written to ${file.path}`);
}

async function paged(document: string): Promise<boolean> {
  if (process.stdout.isTTY !== true) return false;
  const { showInPager } = await import('./pager.js');
  return await showInPager(document);
}
