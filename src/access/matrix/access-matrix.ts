import sql from 'sql-template-tag';
import { listMembers, type Membership } from '../../families/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { ensureAccess } from '../ensure-access.js';
import { COMMANDS, type TableCommand } from '../explain/table-facts.js';
import type { AccessWish } from '../open-access.js';
import { type Answers, type Cell, cellOf, conditionsOf } from './cell.js';
import { type MatrixTable, readTables } from './read-tables.js';

export interface MatrixWish {
  readonly family: string;
  /** Roles that members might get: `gran@example.ca=professional`, by id or e-mail address. */
  readonly compare?: readonly { readonly who: string; readonly role: string }[] | undefined;
}

export interface MatrixLine {
  readonly user_id: string;
  readonly table: string;
  readonly cells: Readonly<Record<TableCommand, Cell>>;
  /** As it would be with the planned roles; null where nothing is planned. */
  readonly planned: Readonly<Record<TableCommand, Cell>> | null;
}

export interface Matrix {
  readonly family: string;
  readonly members: readonly Pick<Membership, 'user_id' | 'email' | 'role' | 'status'>[];
  readonly tables: readonly string[];
  readonly lines: readonly MatrixLine[];
  readonly planned: readonly { readonly user_id: string; readonly role: string }[];
}

type Truths = Readonly<Record<string, Readonly<Record<string, Answers>>>>;

/**
 * What each member of a family may do to each table, as the policies decide at this moment for made-up rows of every
 * kind; no row is read. The questions are on record before they are answered. Planned roles are tried in a savepoint that
 * is rolled back. Needs a live grant for the family, and opens one where the purpose has reason and ticket. Throws
 * `no_grant`, `not_found` for somebody who is no member, `usage` for a role that is none.
 */
export async function accessMatrix(
  session: Session,
  { family, compare = [] }: MatrixWish,
  purpose: AccessWish,
): Promise<Matrix> {
  await ensureAccess(session, { kind: 'family', id: family }, purpose);
  const members = await listMembers(session, family);
  const planned = compare.map((plan) => planOf(plan, members));
  const { tables, ids } = await session.transaction(async () => {
    const asked = await session.query<{ explanation: string }>(
      sql`select * from ops.ask_about_family(${family})`,
    );
    return {
      tables: await readTables(session, 'authenticated'),
      ids: asked.map(({ explanation }) => explanation),
    };
  });
  const now = await ask(session, family, ids, tables, []);
  const then = planned.length === 0 ? undefined : await ask(session, family, ids, tables, planned);
  const lines = members.flatMap(({ user_id }) =>
    tables.map((table) => ({
      user_id,
      table: table.table,
      cells: cellsOf(table, now[user_id]?.[nameOf(table)] ?? []),
      planned: then === undefined ? null : cellsOf(table, then[user_id]?.[nameOf(table)] ?? []),
    })),
  );
  return {
    family,
    members: members.map(({ user_id, email, role, status }) => ({ user_id, email, role, status })),
    tables: tables.map(({ table }) => table),
    lines,
    planned,
  };
}

const nameOf = ({ schema, table }: MatrixTable) => `${schema}.${table}`;

async function ask(
  session: Session,
  family: string,
  ids: readonly string[],
  tables: readonly MatrixTable[],
  planned: readonly { user_id: string; role: string }[],
): Promise<Truths> {
  const questions = Object.fromEntries(tables.map((table) => [nameOf(table), conditionsOf(table)]));
  const { answer } = await session.transaction(
    () =>
      session.one<{ answer: Truths }>(sql`
        select ops.explain_family(${family}, ${[...ids]}::uuid[], ${JSON.stringify(questions)}::jsonb, ${JSON.stringify(planned)}::jsonb) as answer`),
    { readOnly: planned.length === 0 },
  );
  return answer;
}

function cellsOf(table: MatrixTable, answers: Answers): Record<TableCommand, Cell> {
  const conditions = conditionsOf(table);
  return Object.fromEntries(
    COMMANDS.map((command) => [command, cellOf(table, command, conditions, answers)]),
  ) as Record<TableCommand, Cell>;
}

function planOf(
  { who, role }: { readonly who: string; readonly role: string },
  members: readonly Membership[],
): { user_id: string; role: string } {
  const member = members.find(
    ({ user_id, email }) => user_id === who.toLowerCase() || email.toLowerCase() === who.toLowerCase(),
  );
  if (member !== undefined) return { user_id: member.user_id, role };
  throw new NestctlError(`${who} is no member of this family.`, {
    kind: 'not_found',
    code: 'member_missing',
    next: 'nestctl member list --family …',
  });
}
