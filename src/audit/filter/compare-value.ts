import sql, { join, raw, type Sql } from 'sql-template-tag';
import type { Operator } from './parse-filter.js';
import type { Token } from './tokens.js';

type Image = 'before' | 'after';
const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/**
 * Compares the value that a column had before or after. Only events that say something about the column count,
 * whatever the comparison: an update that left it alone does not differ from anything.
 */
export function compareValue(
  column: string,
  images: readonly Image[],
  { op, values }: { readonly op: Operator; readonly values: readonly Token[] },
): Sql {
  const texts = values.map(({ value }) => value);
  return eachImage(images, (image) => {
    const there = sql`${image} ? ${column}::text`;
    const value = sql`(${image} ->> ${column}::text)`;
    switch (op) {
      case '=':
        return sql`${value} = any (${texts}::text[])`;
      case '!=':
        return sql`${there} and (${value} = any (${texts}::text[])) is not true`;
      case '~':
        return contains(value, texts[0] as string);
      case '!~':
        return sql`${there} and (${contains(value, texts[0] as string)}) is not true`;
      case 'has':
        return sql`(${image} -> ${column}::text) ? ${texts[0]}::text`;
      default:
        return ordered(image, column, raw(op), texts[0] as string);
    }
  });
}

export function valueIsNull(column: string, images: readonly Image[], not: boolean): Sql {
  return eachImage(
    images,
    (image) =>
      sql`${image} ? ${column}::text and (${image} ->> ${column}::text) is ${raw(not ? 'not null' : 'null')}`,
  );
}

export function contains(value: Sql, part: string): Sql {
  return sql`strpos(lower(${value}), lower(${part}::text)) > 0`;
}

function eachImage(images: readonly Image[], condition: (image: Sql) => Sql): Sql {
  const all = images.map((image) => sql`(${condition(raw(`e.${image}`))})`);
  return sql`(${join(all, ' or ')})`;
}

/** Numbers as numbers, everything else as JSON writes it, where the order of times is that of their text. */
function ordered(image: Sql, column: string, sign: Sql, text: string): Sql {
  const value = sql`${image} ->> ${column}::text`;
  if (!NUMBER.test(text)) return sql`(${value}) collate "C" ${sign} ${text}::text`;
  // "and" would not keep the cast from what is no number.
  return sql`case jsonb_typeof(${image} -> ${column}::text) when 'number' then (${value})::numeric ${sign} ${text}::numeric end`;
}
