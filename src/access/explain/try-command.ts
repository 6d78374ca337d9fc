import pg from 'pg';
import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { runAsPerson } from '../impersonate/act-as-person.js';
import { type OutwardTrigger, outwardTriggers } from '../outward-triggers.js';
import type { Explanation, Verdict } from './explanation.js';
import type { Question } from './question.js';
import type { RowKey } from './row-key.js';

const quote = pg.escapeIdentifier;

/** What became of a command that was run as the person and undone; or why it was not run. */
export interface Tried {
  readonly ran: boolean;
  /** Whether it did what was asked; undefined where it was not run. */
  readonly done: boolean | undefined;
  readonly notes: readonly string[];
}

/**
 * Runs the command as the person, under a live impersonation grant, and undoes it: reads in a read-only transaction,
 * writes with a short patience for locks, and never on a row that another session holds. Where triggers reach out of
 * the database in a way that a rollback does not take back, nothing is run.
 */
export async function tryCommand(
  session: Session,
  person: string,
  question: Question,
  key: RowKey | undefined,
): Promise<Tried> {
  const { facts, asked } = question;
  const table = `${quote(facts.schema)}.${quote(facts.table)}`;
  const { command } = asked;
  if (command !== 'insert' && key === undefined) return notRun('Not tried: no row is named.');
  const outward = command === 'select' ? [] : await outwardTriggers(session, table, command);
  const named = outward.map(calling);
  if (outward.some(({ undone }) => !undone))
    return notRun(...named, 'Not tried: a rollback would not take that back.');
  const { statement, lock } = statementsFor(table, question, key);
  await session.query(sql`select ops.impersonate(${person}, ${statement}, ${command !== 'select'})`);
  try {
    const count = await undone(session, command === 'select', async () => {
      if (lock !== undefined) await runAsPerson(session, person, lock);
      return (await runAsPerson(session, person, statement)).count;
    });
    return { ran: true, done: count > 0, notes: named };
  } catch (error) {
    if (!(error instanceof NestctlError)) throw error;
    if (error.code === 'lock_timeout' || error.code === 'deadlock')
      return notRun(...named, 'Not tried: another session holds the row.');
    if (error.code === 'person_may_not') return { ran: true, done: false, notes: named };
    // Constraints and triggers of ours speak only of what the statement itself holds.
    return {
      ran: true,
      done: false,
      notes: [...named, `Tried and refused, beside the policies: ${error.message}`],
    };
  }
}

/** The explanation with what trying it showed. Where the two differ, the conditions do not explain what happens. */
export function withTrial(explanation: Explanation, tried: Tried): Explanation {
  const { verdict } = explanation;
  const reads = explanation.command === 'select';
  if (!tried.ran || tried.done === undefined)
    return { ...explanation, notes: [...tried.notes, ...explanation.notes] };
  const refusedBeside = tried.notes.some((note) => note.startsWith('Tried and refused'));
  const said: Verdict = tried.done ? 'allowed' : 'denied';
  const differs = verdict !== 'unknown' && verdict !== said && !refusedBeside;
  return {
    ...explanation,
    verdict: differs ? 'unknown' : said,
    decided_by: reads ? 'evaluation and reading' : 'evaluation and trying',
    missing: differs ? [] : explanation.missing,
    mend: differs ? [] : explanation.mend,
    notes: [
      ...tried.notes,
      ...(differs
        ? [`${reads ? 'Read' : 'Tried'} as them it is ${said}: the conditions above do not explain it.`]
        : [reads ? 'Read as them too.' : 'Tried as them too, and undone.']),
      ...explanation.notes.filter((note) => !/^The policies were evaluated|^Triggers may still/.test(note)),
    ],
  };
}

function statementsFor(table: string, { facts, asked, reads }: Question, key: RowKey | undefined) {
  const literal = (value: unknown) => pg.escapeLiteral(JSON.stringify(value));
  const keyed = Object.keys(key ?? {})
    .map(
      (column) =>
        `t.${quote(column)} = (jsonb_populate_record(null::${table}, ${literal(key)})).${quote(column)}`,
    )
    .join(' and ');
  const columns = Object.keys(asked.values ?? {});
  const values = literal(asked.values ?? {});
  const lock = `select from ${table} t where ${keyed} for update nowait`;
  switch (asked.command) {
    case 'select':
      return { statement: `select from ${table} t where ${keyed}`, lock: undefined };
    case 'delete':
      return { statement: `delete from ${table} t where ${keyed}`, lock: undefined };
    case 'update': {
      // A row that stays as it is.
      const set = columns.length > 0 ? columns : [updatable(facts)];
      const to = (column: string) =>
        columns.length > 0
          ? `(jsonb_populate_record(null::${table}, ${values})).${quote(column)}`
          : `t.${quote(column)}`;
      return {
        statement: `update ${table} t set ${set.map((column) => `${quote(column)} = ${to(column)}`).join(', ')} where ${keyed}`,
        lock,
      };
    }
    case 'insert': {
      const list = columns.map(quote).join(', ');
      const back = reads ? ` returning ${facts.key.map(quote).join(', ')}` : '';
      return {
        statement: `insert into ${table} (${list}) select ${list} from jsonb_populate_record(null::${table}, ${values})${back}`,
        lock: undefined,
      };
    }
  }
}

function updatable({ columns, key }: Question['facts']): string {
  const free = columns.find(({ name, update }) => update && !key.includes(name));
  return (free ?? columns[0])?.name ?? '';
}

function calling({ trigger, table, by, undone }: OutwardTrigger): string {
  return `Trigger ${trigger} of ${table} calls out (${by})${undone ? '; undone with the trial' : ''}.`;
}

function notRun(...notes: readonly string[]): Tried {
  return { ran: false, done: undefined, notes };
}

/** Work in a transaction that is rolled back whatever comes of it. */
async function undone<T>(session: Session, readOnly: boolean, work: () => Promise<T>): Promise<T> {
  const result: { value?: T } = {};
  const done = new Error('done, and to be undone');
  await session
    .transaction(
      async () => {
        result.value = await work();
        throw done;
      },
      { readOnly },
    )
    .catch((error: unknown) => {
      if (error !== done) throw error;
    });
  return result.value as T;
}
