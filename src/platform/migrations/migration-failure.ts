import type pg from 'pg';
import { NestctlError } from '../errors.js';
import { describeHolder, type Holder } from './progress.js';
import type { Migration, MigrationFile, Statement } from './read-migrations.js';

/** PostgreSQL's refusal of a statement in a migration file. */
export class StatementFailure extends Error {
  readonly sqlState: string;

  constructor(message: string, sqlState: string) {
    super(message);
    this.sqlState = sqlState;
  }

  /** True where trying again can help: somebody else's lock was in the way. */
  get isLockConflict(): boolean {
    return this.sqlState === '55P03' || this.sqlState === '40P01';
  }
}

/** Names file and line. DETAIL is left out, since it holds row data; so is the message where it may. */
export function statementFailure(file: MigrationFile, statement: Statement, error: unknown): unknown {
  const { code, message, position, internalPosition } = error as pg.DatabaseError;
  if (!(error instanceof Error) || typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return error;
  const before = position === undefined ? '' : statement.text.slice(0, Number(position) - 1);
  const line = statement.line + before.split('\n').length - 1;
  const where = position === undefined ? file.path : `${file.path} line ${line}`;
  const said = /^2[1-3]/.test(code) ? withoutValues(error as pg.DatabaseError) : message;
  const inner = internalPosition === undefined ? '' : ', inside a function';
  return new StatementFailure(`${where}${inner}: ${said} (${code})`, code);
}

function withoutValues({ constraint, table, column }: pg.DatabaseError): string {
  const of = [constraint, table, column].filter((name) => name !== undefined).join(', ');
  return of === '' ? 'the rows there do not allow it' : `the rows there do not allow it: ${of}`;
}

/** What the caller is told: what failed, what stands, how to go on. */
export function migrationFailed(
  migration: Migration,
  direction: 'up' | 'down',
  error: unknown,
  holders: readonly Holder[],
): unknown {
  if (error instanceof NestctlError || !(error instanceof StatementFailure)) return error;
  const stands = migration.transaction
    ? `Nothing of ${migration.name} was applied; the migrations before it stay.`
    : `${migration.name} runs outside a transaction: its finished statements stay, and it can be run again.`;
  if (error.isLockConflict) {
    const who = holders.length === 0 ? 'another session' : holders.map(describeHolder).join(', ');
    return new NestctlError(`${migration.name}: a lock that it needs is held by ${who}.`, {
      kind: 'conflict',
      code: 'lock_timeout',
      hint: `${stands} Wait for that to end, or end it, and run the command again.`,
      next: direction === 'up' ? 'nestctl db migrate' : 'nestctl db rollback',
    });
  }
  return new NestctlError(
    `${direction === 'up' ? 'Migration' : 'Rollback of'} ${migration.name} failed at ${error.message}.`,
    {
      kind: 'failure',
      code: direction === 'up' ? 'migration_failed' : 'rollback_failed',
      hint: stands,
      next: 'nestctl db status',
    },
  );
}
