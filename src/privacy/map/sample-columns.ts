import type { Connection } from '../../platform/database/connection.js';
import { type Finding, finding } from '../../platform/doctor/index.js';
import { NestctlError } from '../../platform/errors.js';
import type { ColumnAnswer } from './answer.js';
import { showMap } from './show-map.js';

const SHAPES = {
  email: 'e-mail addresses',
  phone: 'telephone numbers',
  postal_code: 'postal codes',
  health_card: 'health card numbers',
  sin: 'Social Insurance Numbers',
} as const;
type Shape = keyof typeof SHAPES;

/** What an answer of that category says that its column holds. A Social Insurance Number no category covers. */
const COVERED: Readonly<Record<string, readonly Shape[]>> = {
  contact: ['email', 'phone', 'postal_code'],
  health: ['health_card'],
  staff: ['email'],
  // Copies of rows, and what was asked about them.
  access_record: ['email', 'phone', 'postal_code', 'health_card'],
};

type Sampled = { readonly column_name: string; readonly sampled: string } & Readonly<Record<Shape, string>>;

const NAME = 'hidden_personal_data';

/** What sampling looks for, as the rules of the check say what they do. */
export const SAMPLE_RULE = {
  name: NAME,
  about: 'Personal data in text or JSON of a column that answers as something else, found by sampling rows.',
} as const;

/**
 * Samples up to `rows` rows of every table of the map and looks for shapes of personal data in text and JSON. A finding says
 * how many values, and never a value: none leaves the database. An error where the column is to hold nobody, or a Social
 * Insurance Number was found; a warning where it answers as something else; unknown where a table could not be read.
 */
export async function sampleColumns(
  connection: Connection,
  rows: number,
  progress: (done: { what: string; done: number; total: number }) => void = () => undefined,
): Promise<Finding[]> {
  const { answers } = await showMap(connection);
  const tables = [...new Set(answers.map(({ table }) => table))];
  const findings: Finding[] = [];
  for (const [done, table] of tables.entries()) {
    progress({ what: 'tables', done, total: tables.length });
    const sampled = await sampleTable(connection, table, rows);
    if (sampled instanceof NestctlError) {
      // The platform's tables may be absent.
      if (sampled.kind !== 'not_found')
        findings.push(
          finding(NAME, 'unknown', `could not be looked into: ${sampled.message}`, { object: table }),
        );
      continue;
    }
    const own = answers.filter((one) => one.table === table);
    for (const column of sampled) findings.push(...judge(table, column, own));
  }
  const alarms = findings.filter(({ level }) => level !== 'ok');
  return alarms.length > 0
    ? alarms
    : [
        finding(
          NAME,
          'ok',
          `none found where the map knows of none, in samples of ${rows} rows of ${tables.length} tables`,
        ),
      ];
}

async function sampleTable(
  connection: Connection,
  table: string,
  rows: number,
): Promise<Sampled[] | NestctlError> {
  try {
    return await connection.query<Sampled>('select * from privacy.sample_shapes($1, $2)', [table, rows]);
  } catch (error) {
    if (error instanceof NestctlError && ['not_found', 'permission_denied'].includes(error.code))
      return error;
    throw error;
  }
}

function judge(table: string, found: Sampled, answers: readonly ColumnAnswer[]): Finding[] {
  const answer =
    answers.find(({ column }) => column === found.column_name) ??
    answers.find(({ column }) => column === '*');
  const covered = COVERED[answer?.category ?? ''] ?? [];
  const shapes = (Object.keys(SHAPES) as Shape[]).filter(
    (shape) => Number(found[shape]) > 0 && !covered.includes(shape),
  );
  if (shapes.length === 0) return [];
  const object = `${table}.${found.column_name}`;
  const severe = answer === undefined || answer.whose === 'operational' || shapes.includes('sin');
  const counts = shapes.map((shape) => `${found[shape]} like ${SHAPES[shape]}`).join(', ');
  const says = answer === undefined ? 'does not answer' : `answers as ${answer.category ?? 'about nobody'}`;
  return [
    finding(NAME, severe ? 'error' : 'warning', `of ${found.sampled} values ${counts}; the column ${says}`, {
      object,
      remedy: `nestctl datamap explain ${object}`,
    }),
  ];
}
