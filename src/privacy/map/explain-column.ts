import { qualified } from '../../audit/index.js';
import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import type { ColumnAnswer, TablePath } from './answer.js';

/** What the words of an answer mean, from the tables that they are in. */
interface Meanings {
  readonly about: string | null;
  readonly category_about: string | null;
  readonly sensitive: boolean | null;
  readonly purpose_about: string;
  readonly purpose_law: string;
  readonly keeps: string | null;
  readonly begins: string;
  readonly retention_law: string;
  readonly proposed: boolean;
  readonly obligation_about: string | null;
  readonly obligation_law: string | null;
}

export interface ColumnExplanation {
  readonly answer: ColumnAnswer;
  /** One sentence each, with the law it rests on. */
  readonly words: Readonly<
    Record<'whose' | 'category' | 'origin' | 'purpose' | 'retention' | 'erasure' | 'export', string>
  >;
  /** How its subject's rows are reached; condition is SQL, with $1 and on for the subject. */
  readonly paths: readonly (Pick<TablePath, 'path' | 'via' | 'whose'> & { readonly condition: string })[];
  /** Whether somebody who knows the law has yet to read the retention or the obligation. */
  readonly proposed: boolean;
}

/** What `table.column` answers, in words. Throws `usage` without a table, and `not_mapped` where the map has no such column. */
export async function explainColumn(connection: Connection, name: string): Promise<ColumnExplanation> {
  const dot = name.lastIndexOf('.');
  if (dot < 1) {
    throw new NestctlError(`"${name}" names no table: write TABLE.COLUMN.`, {
      kind: 'usage',
      hint: WRITTEN,
      next: 'nestctl datamap explain --help',
    });
  }
  const table = qualified(name.slice(0, dot));
  const column = name.slice(dot + 1);
  const [found] = await connection.query<ColumnAnswer & Meanings>(
    `select a.table_name as table, a.column_name as column, a.whose, a.subject, a.category, a.origin, a.purpose, a.retention, a.erasure,
       a.anonymized_as, a.obligation, a.exported, a.withheld, s.about, c.about as category_about, c.sensitive, p.about as purpose_about, p.law as purpose_law,
       to_char(r.keeps, 'FMYYY"y"FMMM"m"FMDD"d"') as keeps, r.begins, r.law as retention_law, r.proposed or coalesce(o.proposed, false) as proposed,
       o.about as obligation_about, o.law as obligation_law
     from privacy.column_answers a
       join privacy.purposes p using (purpose) join privacy.retentions r using (retention)
       left join privacy.subjects s using (subject) left join privacy.categories c using (category) left join privacy.obligations o using (obligation)
     where a.table_name = $1 and a.column_name in ($2, '*')
     order by a.column_name = '*' limit 1`,
    [table, column],
  );
  if (found === undefined) throw notMapped(table, column);
  const { about, category_about, sensitive, purpose_about, purpose_law, keeps, begins, ...rest } = found;
  const { retention_law, proposed, obligation_about, obligation_law, ...answer } = rest;
  const paths = await connection.query<ColumnExplanation['paths'][number]>(
    `select path, via, whose, privacy.path_condition(table_name, path) as condition from privacy.paths
     where table_name = $1 and subject = $2 order by via <> 'direct', path`,
    [table, answer.subject],
  );
  return {
    answer,
    words: {
      whose: about === null ? "nobody's: operational" : `${WHOSE[answer.whose]}: ${about}`,
      category:
        category_about === null
          ? 'none: no personal information'
          : `${category_about}${sensitive ? '; sensitive, express consent (PIPEDA principle 4.3.4; P-39.1 s. 12)' : ''}`,
      origin: answer.origin === null ? 'made by the system' : ORIGIN[answer.origin],
      purpose: `${purpose_about} (${purpose_law})`,
      retention: `${keeps === null ? 'no longer than' : `${spelled(keeps)} from`} ${begins} (${retention_law})`,
      erasure: erasureOf(answer, obligation_about, obligation_law),
      export: exportOf(answer),
    },
    paths,
    proposed,
  };
}

const WHOSE = {
  subject: "that person's alone",
  joint: "a household's together",
  other: "another person's, who is only named here",
  operational: "nobody's",
} as const;

const ORIGIN = {
  provided: 'provided by the person, for a child by the household; portability covers it (P-39.1 s. 27)',
  reported: 'reported by somebody else',
  observed: 'observed while the application or the console was used',
  inferred:
    'inferred by us; portability leaves it out (P-39.1 s. 27), access does not (PIPEDA principle 4.9)',
  assigned: 'assigned by us',
} as const;

function erasureOf(answer: ColumnAnswer, why: string | null, law: string | null): string {
  switch (answer.erasure) {
    case 'delete':
      return 'the row goes (PIPEDA principle 4.5.3; P-39.1 s. 23)';
    case 'anonymize':
      return `the row stays, and ${answer.anonymized_as ?? 'nothing'} stands there (PIPEDA principle 4.5.3; P-39.1 s. 23)`;
    case 'sever':
      return 'the row stays, since it is about others, and names nobody any more (PIPEDA principle 4.5.3)';
    case 'keep':
      return `it stays: ${why} (${law})`;
    case 'none':
      return 'nothing: it holds nobody';
  }
}

function exportOf({ whose, exported, withheld }: ColumnAnswer): string {
  if (exported) return 'in the package (PIPEDA principle 4.9; P-39.1 s. 27)';
  if (withheld !== null) return `withheld: ${withheld}`;
  if (whose === 'other') return "severed from a package: another person's (PIPEDA s. 9(1))";
  return 'in no package: it says nothing of anybody';
}

/** "2y0m0d" as "2 years". */
function spelled(keeps: string): string {
  const [, ...numbers] = /^(\d+)y(\d+)m(\d+)d$/.exec(keeps) ?? [];
  return ['year', 'month', 'day']
    .map((unit, at) => [Number(numbers[at]), unit] as const)
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}${number === 1 ? '' : 's'}`)
    .join(' ');
}

const WRITTEN = 'Tables of public need no schema: usage_logs.notes, ops.access_grants.reason.';

function notMapped(table: string, column: string): NestctlError {
  return new NestctlError(`The data map knows no column ${table}.${column}.`, {
    kind: 'not_found',
    code: 'not_mapped',
    hint: WRITTEN,
    next: 'nestctl datamap show',
  });
}
