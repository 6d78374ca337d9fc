import type { Connection } from '../../platform/database/connection.js';
import { operandsOf, type Token } from './body-operands.js';
import type { Mutant, PolicyText } from './mutant.js';
import type { ViewText } from './view-mutants.js';

interface Helper {
  readonly name: string;
  readonly result: string;
  readonly definition: string;
  readonly body: string;
}

/** Asked only to spare the call of explained_person(), which asks it again. */
const SETTING = /^nullif\(current_setting\('nestsync\.explaining', true\), ''\) is not null$/i;
const CALL = /\bprivate\.(\w+)\(/g;
/** Reached only under a duty, which no session has that acts as a member: their facts are for the model of staff. */
const OF_STAFF =
  /^(explained_person|session_duty|session_operator|live_grants|break_glass|granted_|subject_)/;

/** The helpers that policies for members stand on, those that these call among them, and what is left out of them. */
export async function readHelpers(
  connection: Connection,
  policies: readonly PolicyText[],
  views: readonly ViewText[],
): Promise<{ helpers: Helper[]; beyond: string[] }> {
  const all = await connection.query<Helper>(
    `select p.proname as name, pg_get_function_result(p.oid) as result, pg_get_functiondef(p.oid) as definition,
       coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body
     from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace = 'private'::regnamespace and p.prokind = 'f' and l.lanname in ('sql', 'plpgsql') order by 1`,
  );
  const called = (text: string) => [...text.matchAll(CALL)].map((match) => match[1] as string);
  const open = policies
    .filter(({ roles }) => roles.includes('authenticated') || roles.includes('public'))
    .flatMap(({ using, check }) => called(`${using} ${check}`))
    .concat(views.flatMap(({ body }) => called(body)));
  const reached = new Set<string>();
  const beyond = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (reached.has(name) || beyond.has(name)) continue;
    if (OF_STAFF.test(name)) {
      beyond.add(name);
      continue;
    }
    reached.add(name);
    open.push(...all.filter((one) => one.name === name).flatMap(({ body }) => called(body)));
  }
  return { helpers: all.filter(({ name }) => reached.has(name)), beyond: [...beyond].sort() };
}

/** Every condition in a helper left out, every word of a list, every other arm, and the family's time zone. */
export function helperMutants(
  { name, result, definition, body }: Helper,
  scan: (text: string) => Token[],
): Mutant[] {
  const bytes = Buffer.from(body, 'utf8');
  const put = (start: number, end: number, text: string) =>
    Buffer.concat([bytes.subarray(0, start), Buffer.from(text), bytes.subarray(end)]).toString('utf8');
  const at = definition.lastIndexOf(body);
  const mutant = (changed: string, change: string, trace: Mutant['trace'] = { of: 'other' }): Mutant => ({
    kind: 'helper',
    object: `private.${name}`,
    change,
    statements: [definition.slice(0, at) + changed + definition.slice(at + body.length)],
    trace,
  });
  const short = (start: number, end: number) => {
    const text = bytes.subarray(start, end).toString('utf8').replace(/\s+/g, ' ');
    return text.length > 90 ? `${text.slice(0, 87)}…` : text;
  };
  const operands = operandsOf(scan(body), result === 'boolean').filter(
    ({ start, end }) => short(start, end).toLowerCase() !== 'true',
  );
  return [
    ...operands.flatMap(({ start, end, of }) => [
      mutant(
        put(start, end, ' true '),
        `without ${short(start, end)}`,
        SETTING.test(short(start, end)) ? { of: 'spared' } : undefined,
      ),
      ...(of === 'WHEN'
        ? [
            mutant(
              put(start, end, ' false '),
              `never ${short(start, end)}`,
              name === 'member_families' ? { of: 'shortcut' } : undefined,
            ),
          ]
        : []),
    ]),
    ...[...body.matchAll(/(?:\bin \(|ARRAY\[)('[^']*'(?:::\w+)?(?:, '[^']*'(?:::\w+)?)+)[)\]]/gi)].flatMap(
      (match) => {
        const words = (match[1] as string).split(', ');
        const from = match.index + match[0].indexOf(match[1] as string);
        return words.map((word, turn) => {
          const fewer = words.filter((_, other) => other !== turn).join(', ');
          return mutant(
            body.slice(0, from) + fewer + body.slice(from + (match[1] as string).length),
            `without the word ${word}`,
          );
        });
      },
    ),
    ...(/\bf\.timezone\b/.test(body)
      ? [
          mutant(
            body.replace(/\bf\.timezone\b/g, `'UTC'::text`),
            "the time zone UTC in place of the family's",
          ),
        ]
      : []),
  ];
}
