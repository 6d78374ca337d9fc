import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import type { Attempt } from './attempt.js';
import { makeAttempts } from './attempts.js';
import { type Declaration, readDeclaration, TABLES, type Table } from './declaration.js';
import { loadAttempts, loadModel } from './load.js';
import { type Model, makeModel } from './model.js';
import { ACTING_ROLES, DUTY_ROLES, takeRoles } from './roles.js';
import { readRights } from './try-attempts.js';

/** What stands ready in a transaction that will be rolled back. */
export interface Stage {
  readonly declaration: Declaration;
  readonly model: Model;
  readonly attempts: readonly Attempt[];
  /** Statements by which the owner took on the roles it acts as. */
  readonly taken: readonly string[];
}

export interface StageOptions {
  /** Whether the tables' audit triggers are off meanwhile, which keeps everybody else from writing. */
  readonly silent?: boolean;
  /** Whether operators act as members too, for which a trigger of their grants is off now and then. */
  readonly operators?: boolean;
  /** Only what is tried on these. */
  readonly tables?: readonly Table[] | undefined;
}

/** Every table's rows rest on these. */
const BASE: readonly Table[] = ['users', 'families', 'family_members', 'children'];

const LOCK_TIMEOUT = '2s';

/** Work with the model loaded, in a transaction of the owner's that is rolled back whatever comes of it. */
export async function onStage<T>(
  connection: Connection,
  work: (stage: Stage) => Promise<T>,
  options: StageOptions = {},
): Promise<T> {
  const result: { value?: T } = {};
  const done = new Error('done, and to be undone');
  await connection
    .transaction(async () => {
      await connection.query(
        sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true), set_config('jit', 'off', true), set_config('search_path', 'pg_catalog, pg_temp', true)`,
      );
      const taken = await takeRoles(connection);
      const declaration = await readDeclaration(connection);
      const { now } = await connection.one<{ now: Date }>('select clock_timestamp() as now');
      const model = makeModel(declaration, now.getTime());
      const { tables = TABLES } = options;
      const hasRight = await readRights(connection, ACTING_ROLES);
      const attempts = makeAttempts(model, declaration, hasRight, DUTY_ROLES, {
        tables,
        operators: options.operators === true,
      });
      if (options.silent === true) await silenceAudit(connection);
      await loadModel(
        connection,
        model.rows.filter(({ table }) => BASE.includes(table) || tables.includes(table)),
      );
      await loadAttempts(connection, attempts, model, declaration);
      result.value = await work({ declaration, model, attempts, taken });
      throw done;
    })
    .catch((error: unknown) => {
      if (error !== done) throw error;
    });
  return result.value as T;
}

/** Nothing need be captured of thousands of changes that are undone. */
async function silenceAudit(connection: Connection): Promise<void> {
  const triggers = await connection.query<{ statement: string }>(sql`
    select format('alter table %s disable trigger %I', t.tgrelid::regclass, t.tgname) as statement
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'public'::regnamespace and c.relname = any (${[...TABLES]}) and t.tgname in ('audit_insert', 'audit_update', 'audit_delete')`);
  for (const { statement } of triggers) await connection.query(statement);
}
