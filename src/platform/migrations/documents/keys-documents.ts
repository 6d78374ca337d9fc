import type { Catalogue } from '../catalogue-types.js';
import { code, groupBy, markdownTable, paragraphs, title } from './markdown.js';

const KINDS = ['primary key', 'unique', 'foreign key', 'exclusion', 'check'];

export function constraintsDocument({ constraints }: Catalogue): string {
  return paragraphs(
    title(
      'Constraints',
      'Keys, foreign keys and checks, one section a table. NOT NULL is in [schema.md](schema.md).',
    ),
    ...groupBy(constraints, ({ schema, table }) => `${schema}.${table}`).map(([table, list]) =>
      paragraphs(
        `## ${table}`,
        markdownTable(
          ['constraint', 'kind', 'definition', 'meaning'],
          [...list]
            .sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
            .map(({ name, kind, definition, validated, comment }) => [
              code(name),
              validated ? kind : `${kind}, not validated`,
              code(definition),
              comment ?? '',
            ]),
        ),
      ),
    ),
  );
}

export function indexesDocument({ indexes }: Catalogue): string {
  return paragraphs(
    title('Indexes', 'One section a table. An index that serves a constraint is named with it.'),
    ...groupBy(indexes, ({ schema, table }) => `${schema}.${table}`).map(([table, list]) =>
      paragraphs(
        `## ${table}`,
        markdownTable(
          ['index', 'on', 'serves', 'meaning'],
          list.map(({ name, definition, unique, constraint, valid, comment }) => [
            code(name),
            code(definition.replace(/^CREATE (UNIQUE )?INDEX .* USING /, '')),
            [constraint ?? (unique ? 'uniqueness' : ''), valid ? '' : 'INVALID'].filter(Boolean).join(', '),
            comment ?? '',
          ]),
        ),
      ),
    ),
  );
}
