import type { Connection } from '../../database/connection.js';
import { code, groupBy, markdownTable, paragraphs, title } from './markdown.js';

/** Columns of one table that answer alike. */
interface Answers {
  readonly table_name: string;
  readonly columns: string;
  readonly whose: 'subject' | 'joint' | 'other' | 'operational';
  readonly subject: string | null;
  readonly category: string | null;
  readonly origin: string | null;
  readonly purpose: string;
  readonly retention: string;
  readonly erasure: 'delete' | 'anonymize' | 'keep' | 'sever' | 'none';
  readonly anonymized_as: string | null;
  readonly obligation: string | null;
  readonly exported: boolean;
  readonly withheld: string | null;
}

interface Path {
  readonly table_name: string;
  readonly via: string;
  readonly subject: string;
  readonly whose: 'subject' | 'joint' | 'other';
}

/** The data map for whoever knows the law: its words first, then each table that holds something about somebody. */
export async function datamapDocument(connection: Connection): Promise<string> {
  const answers = await connection.query<Answers>(`
    select table_name, string_agg(column_name, ' ' order by column_name collate "C") as columns, whose, subject, category, origin, purpose, retention, erasure,
      anonymized_as, obligation, exported, withheld
    from privacy.column_answers
    group by table_name, whose, subject, category, origin, purpose, retention, erasure, anonymized_as, obligation, exported, withheld
    order by table_name collate "C", whose = 'operational', min(column_name collate "C")`);
  const paths = await connection.query<Path>(`
    select distinct table_name collate "C" as table_name, via, subject, whose from privacy.paths where subject is not null order by 1, 3, 2, 4`);
  const personal = new Set(
    answers.filter(({ whose }) => whose !== 'operational').map((one) => one.table_name),
  );
  return paragraphs(
    title(
      'Data map',
      'What is kept, of whom, what for, how long, what erasing a person does to it, and whether a package for them holds it. Export and erasure are driven by this map; it changes only by migration, with the tables. A word marked "proposed" is a proposal of ours that nobody who knows the law has read yet.',
    ),
    await words(connection),
    '## Tables that hold something about somebody',
    ...groupBy(
      answers.filter((one) => personal.has(one.table_name)),
      (one) => one.table_name,
    ).map(([table, rows]) =>
      section(
        table,
        rows,
        paths.filter((path) => path.table_name === table),
      ),
    ),
    '## Tables that hold nobody',
    [...new Set(answers.map((one) => one.table_name).filter((table) => !personal.has(table)))]
      .map(code)
      .join(', '),
  );
}

function section(table: string, answers: readonly Answers[], paths: readonly Path[]): string {
  return paragraphs(
    `### ${table}`,
    paths.length === 0
      ? undefined
      : `Rows are found ${paths.map(({ subject, via, whose }) => `from ${subject} (${via}: ${WHOSE[whose]})`).join('; ')}.`,
    markdownTable(
      ['columns', 'whose', 'what', 'from', 'what for', 'kept', 'on erasure', 'in a package'],
      answers.map((one) => [
        one.columns
          .split(' ')
          .map((column) => (column === '*' ? 'all others' : code(column)))
          .join(' '),
        one.subject === null ? 'nobody’s' : `${one.subject}: ${WHOSE[one.whose as Path['whose']]}`,
        one.category ?? '',
        one.origin ?? '',
        one.purpose,
        one.retention,
        erasure(one),
        one.exported ? 'yes' : one.whose === 'operational' ? '' : `no: ${one.withheld ?? 'another person’s'}`,
      ]),
    ),
  );
}

const WHOSE = { subject: 'theirs alone', joint: 'a household’s', other: 'another person’s' } as const;

function erasure({ erasure: what, anonymized_as, obligation }: Answers): string {
  switch (what) {
    case 'delete':
      return 'the row goes';
    case 'anonymize':
      return `replaced by ${anonymized_as === null ? 'nothing' : code(anonymized_as)}`;
    case 'sever':
      return 'names nobody any more';
    case 'keep':
      return `stays: ${obligation}`;
    case 'none':
      return '';
  }
}

async function words(connection: Connection): Promise<string> {
  const list = async (heading: string, head: readonly string[], query: string) =>
    paragraphs(
      `## ${heading}`,
      markdownTable(
        head,
        (await connection.query<{ cells: string[] }>(query)).map(({ cells }) => cells),
      ),
    );
  const proposed = `case when proposed then 'proposed' else '' end`;
  return paragraphs(
    await list(
      'Whom it is about',
      ['word', 'who'],
      `select array[subject, about] as cells from privacy.subjects order by subject collate "C"`,
    ),
    await list(
      'Categories',
      ['word', 'what', 'sensitive'],
      `select array[category, about, case when sensitive then 'sensitive: express consent' else '' end] as cells from privacy.categories order by category collate "C"`,
    ),
    await list(
      'Purposes',
      ['word', 'what for', 'law'],
      `select array[purpose, about, law] as cells from privacy.purposes order by purpose collate "C"`,
    ),
    await list(
      'How long',
      ['word', 'how long', 'from', 'law', ''],
      `select array[retention, coalesce(keeps::text, 'no longer than'), begins, law, ${proposed}] as cells from privacy.retentions order by retention collate "C"`,
    ),
    await list(
      'What outlives an erasure',
      ['word', 'why', 'law', ''],
      `select array[obligation, about, law, ${proposed}] as cells from privacy.obligations order by obligation collate "C"`,
    ),
    await list(
      'Consents',
      ['consent', 'to', 'purposes', 'what follows from its withdrawal', 'law'],
      `select array[consent_type, about, coalesce((select string_agg(p.purpose, ' ' order by p.purpose collate "C") from privacy.consent_purposes p
         where p.consent_type = t.consent_type), 'none of a column'), follows, law] as cells
       from privacy.consent_types t order by consent_type collate "C"`,
    ),
  );
}
