import type { Migration } from '../read-migrations.js';
import { code, markdownTable, paragraphs, title } from './markdown.js';

const ABOUT =
  'From the headers of `sql/migrations/*/up.sql`, in order. Each is a transaction of its own unless it says no; ' +
  'before the first come the cluster-wide roles of `sql/roles.sql`. *Seeds* are tables whose rows a down may ' +
  'delete, because the up put them there.';

export function migrationsDocument(migrations: readonly Migration[]): string {
  return paragraphs(
    title('Migrations', ABOUT),
    markdownTable(
      ['migration', 'kind', 'transaction', 'reversible', 'locks', 'seeds'],
      migrations.map(({ name, kind, transaction, reversible, remark, locks, seeds }) => [
        code(name),
        kind,
        transaction ? 'yes' : 'no',
        `${reversible ? 'yes' : 'no'}${remark === undefined ? '' : `, ${remark}`}`,
        locks,
        seeds.map(code).join(', '),
      ]),
    ),
    '## The header of a migration',
    [
      '- `kind`: `schema` or `data`; never both in one.',
      '- `locks`: the strongest locks it takes, and on what.',
      '- `transaction`: `yes`, or `no` for concurrent index builds and the like: only statements that can be run ' +
        'again, separated by lines `-- statement`.',
      '- `reversible`: `yes`, or `no (why)`, and then there is no `down.sql`.',
      '- `seeds`: optional, tables separated by commas.',
    ].join('\n'),
  );
}
