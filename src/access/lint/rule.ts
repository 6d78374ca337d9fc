import { readdir, readFile } from 'node:fs/promises';
import { sqlPath } from '../../platform/package-root.js';

/** One catalogue check on row security: a file of sql/checks/access. */
export interface Rule {
  /** As in `0012_identity_evaluated_per_row.sql`, without the number. */
  readonly name: string;
  /** What it finds and why that matters: the comment that its file begins with. */
  readonly about: string;
  /** The query after the comment; it reads the names that scope.sql gives. */
  readonly sql: string;
}

const folder = sqlPath('checks', 'access');

/** Every rule, in the order of their numbers. */
export async function readRules(): Promise<Rule[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort();
  return await Promise.all(
    files.map(async (file) => {
      const lines = (await readFile(`${folder}/${file}`, 'utf8')).split('\n');
      const end = lines.findIndex((line) => !line.startsWith('-- '));
      return {
        name: file.slice(5, -4),
        about: lines
          .slice(0, end)
          .map((line) => line.slice(3))
          .join(' '),
        sql: lines.slice(end).join('\n'),
      };
    }),
  );
}

/** The common table expressions that stand before every rule: schemas, API roles, relations, policies, routines. */
export async function readScope(): Promise<string> {
  return await readFile(`${folder}/scope.sql`, 'utf8');
}
