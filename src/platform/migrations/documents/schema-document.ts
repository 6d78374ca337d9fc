import type { Catalogue, Column, Relation } from '../catalogue-types.js';
import { code, groupBy, markdownTable, paragraphs, title } from './markdown.js';

const ABOUT =
  'One section a table or view, then functions, triggers and types. Who may do what is in ' +
  '[policies.md](policies.md), keys and checks in [constraints.md](constraints.md), indexes in ' +
  '[indexes.md](indexes.md).';

/** Tables, views, functions, triggers and types, by schema. */
export function schemaDocument(catalogue: Catalogue): string {
  const schemas = catalogue.schemas.map(({ name, comment }) => [code(name), comment ?? '']);
  return paragraphs(
    title('Schema', ABOUT),
    markdownTable(['schema', 'holds'], schemas),
    ...groupBy(catalogue.relations, ({ schema }) => schema).flatMap(([schema, relations]) => [
      `## ${schema}`,
      ...relations.map(relationSection),
    ]),
    '## Functions',
    ...functionSections(catalogue),
    '## Triggers',
    markdownTable(
      ['table', 'trigger', 'when'],
      catalogue.triggers.map(({ schema, table, name, definition }) => [
        `${schema}.${table}`,
        code(name),
        code(definition.replace(/^CREATE (CONSTRAINT )?TRIGGER \S+ /, '')),
      ]),
    ),
    '## Types',
    markdownTable(
      ['type', 'kind', 'definition', 'meaning'],
      catalogue.others
        .filter(({ kind }) => ['enum', 'domain', 'composite type'].includes(kind))
        .map(({ kind, identity, definition, comment }) => [
          code(identity),
          kind,
          code(definition),
          comment ?? '',
        ]),
    ),
  );
}

function relationSection(relation: Relation): string {
  const { schema, name, kind, partitionKey, options } = relation;
  const remarks = [
    kind === 'table' ? undefined : `${kind[0]?.toUpperCase()}${kind.slice(1)}.`,
    partitionKey === null ? undefined : `Partitioned by \`${partitionKey}\`.`,
    options.length === 0 ? undefined : `Options: \`${options.join(', ')}\`.`,
    relation.comment ?? undefined,
  ];
  const about = remarks.filter((remark) => remark !== undefined).join(' ');
  return paragraphs(
    `### ${schema}.${name}`,
    about,
    markdownTable(['column', 'type', 'null', 'default', 'meaning'], relation.columns.map(columnCells)),
  );
}

function columnCells(column: Column): string[] {
  const value = column.default;
  const filled =
    column.identity === null
      ? column.generated === null
        ? code(value)
        : `${column.generated}: ${code(value)}`
      : `identity, ${column.identity}`;
  return [code(column.name), column.type, column.notNull ? 'no' : 'yes', filled, column.comment ?? ''];
}

function functionSections({ routines }: Catalogue): string[] {
  return groupBy(routines, ({ schema }) => schema).map(([schema, list]) =>
    paragraphs(
      `### Functions in ${schema}`,
      markdownTable(
        ['function', 'gives', 'nature', 'meaning'],
        list.map((routine) => [
          code(`${routine.name}(${routine.arguments})`),
          code(routine.result),
          [routine.language, routine.volatility, routine.securityDefiner ? 'security definer' : '']
            .filter(Boolean)
            .join(', '),
          routine.comment ?? '',
        ]),
      ),
    ),
  );
}
