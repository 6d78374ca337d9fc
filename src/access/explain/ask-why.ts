import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { RowKey } from './row-key.js';
import type { TableCommand, TableFacts } from './table-facts.js';

/** Puts the question on record, to be answered once that is committed; its id. `at` is a past moment, now when absent. */
export async function askWhy(
  session: Session,
  { schema, table }: TableFacts,
  asked: {
    readonly person: string;
    readonly key: RowKey | undefined;
    readonly command: TableCommand;
    readonly at?: Date;
  },
): Promise<string> {
  const { person, key, command, at } = asked;
  const { id } = await session.one<{ id: string }>(sql`
    select ops.ask_why(${person}, ${`"${schema}"."${table}"`}, ${key === undefined ? null : JSON.stringify(key)}::jsonb,
      ${command}, ${at?.toISOString() ?? null}) as id`);
  return id;
}
