import { readdir, readFile } from 'node:fs/promises';
import { sqlPath } from '../package-root.js';

/** One check on the catalogue: a file of a folder of sql/checks. */
export interface Rule {
  /** As in `0012_identity_evaluated_per_row.sql`, without the number. */
  readonly name: string;
  /** What it finds and why that matters: the comment that its file begins with. */
  readonly about: string;
  /** The query after the comment; it reads the names that scope.sql gives. */
  readonly sql: string;
}

export interface RuleSet {
  /** In the order of their numbers. */
  readonly rules: readonly Rule[];
  /** The common table expressions that stand before every rule. */
  readonly scope: string;
}

/** The rules of a folder of sql/checks, such as `access`. */
export async function readRules(name: string): Promise<RuleSet> {
  const folder = sqlPath('checks', name);
  const files = (await readdir(folder)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort();
  const rules = await Promise.all(
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
  return { rules, scope: await readFile(`${folder}/scope.sql`, 'utf8') };
}
