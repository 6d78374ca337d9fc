import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { AccessWish } from '../open-access.js';
import { type OutwardTrigger, outwardTriggers } from '../outward-triggers.js';
import { type Answer, actAsOneself, runAsPerson } from './act-as-person.js';
import { coverImpersonation, record, refuseFunctions } from './cover-impersonation.js';
import { type ParsedStatement, parseStatement } from './parse-statement.js';

export interface PersonsWriteWish {
  /** The person: an id or a whole e-mail address. */
  readonly user: string;
  readonly statement: string;
  /** The most rows it may touch, cascades and triggers among them. */
  readonly rows: number;
  /** Whether it is run although triggers reach out of the database in a way that no rollback takes back. */
  readonly outward: boolean;
}

export interface Touched {
  readonly table: string;
  readonly operation: string;
  readonly rows: number;
}

export interface PersonsWritePlan {
  readonly person: string;
  readonly statement: string;
  readonly command: Exclude<ParsedStatement['command'], 'select'>;
  readonly table: string;
  /** How many rows of the table the person could change so; null for insert, and where it cannot be counted. */
  readonly changeable: number | null;
  /** How many the statement touches by itself. */
  readonly rows: number;
  /** All that it touches, as the audit log would have it. */
  readonly touched: readonly Touched[];
  readonly outward: readonly OutwardTrigger[];
}

export interface PersonsWrite extends Pick<PersonsWritePlan, 'person' | 'command' | 'table' | 'touched'> {
  readonly columns: readonly string[];
  /** What RETURNING gave back. */
  readonly returned: readonly (readonly unknown[])[];
}

/**
 * Finds out what a write would touch as a person: it is tried and undone, waiting for nobody's lock for long. Throws
 * `too_many_rows` where that is more than was allowed or more than the person could change, `calls_out`, `usage`.
 */
export async function planWriteAsPerson(
  session: Session,
  wish: PersonsWriteWish,
  purpose: AccessWish,
): Promise<PersonsWritePlan> {
  const statement = await parseStatement(wish.statement);
  const { command, target } = statement;
  if (command === 'select' || target === undefined) {
    throw new NestctlError('SELECT writes nothing.', {
      kind: 'usage',
      code: 'invalid_statement',
      hint: 'Leave --write out.',
    });
  }
  await refuseFunctions(session, statement);
  const table = await tableOf(session, target);
  const outward = await outwardTriggers(session, table.name, command);
  refuseOutward(outward, wish.outward);
  const person = await coverImpersonation(session, wish.user, purpose);
  await record(session, person, statement, true);
  const changeable =
    command === 'insert' || !table.ours ? null : await countChangeable(session, person, table.name, command);
  const tried = new Error('tried, and to be undone');
  let found: { answer: Answer; touched: Touched[] } | undefined;
  await session
    .transaction(async () => {
      found = await attempt(session, person, statement.text);
      throw tried;
    })
    .catch((error: unknown) => {
      if (error !== tried) throw error;
    });
  const { answer, touched } = found as NonNullable<typeof found>;
  const plan = {
    person,
    statement: statement.text,
    command,
    table: table.name,
    changeable,
    outward,
    touched,
  };
  refuseMany({ ...plan, rows: answer.count }, wish.rows);
  return { ...plan, rows: answer.count };
}

/** Runs the write for good. Throws `changed_meanwhile`, and keeps nothing, where it touches other than was planned. */
export async function writeAsPerson(session: Session, plan: PersonsWritePlan): Promise<PersonsWrite> {
  return await session.transaction(async () => {
    const { answer, touched } = await attempt(session, plan.person, plan.statement);
    if (answer.count !== plan.rows || JSON.stringify(touched) !== JSON.stringify(plan.touched)) {
      throw new NestctlError(
        `It would now touch ${answer.count} rows, and ${plan.rows} were shown. Nothing was changed.`,
        { kind: 'conflict', code: 'changed_meanwhile', hint: 'Look again, and run it again.' },
      );
    }
    const { person, command, table } = plan;
    return { person, command, table, touched, columns: answer.columns, returned: answer.rows };
  });
}

async function attempt(session: Session, person: string, statement: string) {
  const answer = await runAsPerson(session, person, statement);
  await actAsOneself(session);
  const touched = await session.query<Touched>(sql`
    select t.table_name as "table", lower(t.operation) as operation, t.touched::int as rows from ops.touched_rows() t`);
  return { answer, touched };
}

interface Target {
  /** With its schema, as SQL writes it. */
  readonly name: string;
  /** Whether it is among those whose rows can be counted. */
  readonly ours: boolean;
}

async function tableOf(session: Session, target: string): Promise<Target> {
  const [found] = await session.query<Target>(sql`
    select format('%I.%I', n.nspname, c.relname) as name,
      exists (select from audit.captured_tables k where k.table_name = c.oid) and n.nspname = 'public' as ours
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass(${target})`);
  if (found !== undefined) return found;
  throw new NestctlError(`There is no table ${target}.`, { kind: 'not_found', code: 'table_missing' });
}

async function countChangeable(
  session: Session,
  person: string,
  table: string,
  command: 'update' | 'delete',
): Promise<number> {
  const { rows } = await session.one<{ rows: number }>(
    sql`select ops.changeable_rows(${person}, ${table}, ${command})::int as rows`,
  );
  return rows;
}

/** All that is touched, where the audit log captures the table; else what the statement itself says. */
export function totalOf({ rows, touched }: Pick<PersonsWritePlan, 'rows' | 'touched'>): number {
  return Math.max(
    rows,
    touched.reduce((sum, one) => sum + one.rows, 0),
  );
}

function refuseMany(plan: PersonsWritePlan, most: number): void {
  const total = totalOf(plan);
  if (plan.changeable !== null && plan.rows > plan.changeable) {
    throw new NestctlError(
      `It would touch ${plan.rows} rows of ${plan.table}, of which the person may change ${plan.changeable}.`,
      {
        kind: 'conflict',
        code: 'too_many_rows',
        hint: 'Nothing was changed. The policies do not explain this.',
      },
    );
  }
  if (total <= most) return;
  const beside = total > plan.rows ? ', with cascades and triggers' : '';
  throw new NestctlError(
    `It would touch ${total} rows${beside}, and at most ${most} may be. Nothing was changed.`,
    {
      kind: 'conflict',
      code: 'too_many_rows',
      hint: `Narrow its WHERE, or allow so many with --rows ${total}.`,
    },
  );
}

function refuseOutward(outward: readonly OutwardTrigger[], allowed: boolean): void {
  const lasting = outward.filter(({ undone }) => !undone);
  if (allowed || lasting.length === 0) return;
  const named = lasting.map(({ trigger, table, by }) => `${trigger} of ${table} (${by})`).join(', ');
  throw new NestctlError(`Triggers reach out of the database, and no rollback takes that back: ${named}.`, {
    kind: 'conflict',
    code: 'calls_out',
    hint: 'It was not tried. Add --outward where they may be called twice: to count its rows, and for good.',
  });
}
