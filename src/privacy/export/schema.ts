import type { Group } from './groups.js';
import type { PackageColumn } from './package-tables.js';

/** What a file of rows holds, as JSON Schema (2020-12); `x-sql` is the type to load a column into. */
export function schemaOf({ table, origin, columns, path }: Group): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${table.table}: ${origin}`,
    description: `The rows of ${path}.json. Columns that a row lacks are not the person's in that row; ${path}.csv leaves them empty, as it does NULL.`,
    type: 'array',
    items: {
      type: 'object',
      properties: Object.fromEntries(columns.map((column) => [column.column_name, propertyOf(column)])),
      additionalProperties: false,
    },
  };
}

function propertyOf(column: PackageColumn): object {
  const { subject, category, spelled, free, about, codes } = column;
  const told = {
    'x-sql': namesOthers(column) ? 'text' : spelled,
    'x-category': category,
    'x-subject': subject,
    ...(about === undefined ? {} : { description: `${about.en} ${about.fr}` }),
    ...(codes === undefined ? {} : { 'x-codes': codes }),
    ...(free ? { 'x-severed': 'others are named by their alias here' } : {}),
  };
  return { ...shapeOf(column), ...told };
}

/** Ids of whoever entered, invited or accepted: aliases stand among them. */
const namesOthers = ({ kind, subject }: PackageColumn) => kind === 'uuid' && subject === 'author';

function shapeOf(column: PackageColumn): object {
  switch (column.kind) {
    case 'boolean':
      return { type: ['boolean', 'null'] };
    case 'integer':
      return { type: ['integer', 'null'] };
    case 'number':
      return { anyOf: [{ type: ['number', 'null'] }, { enum: ['NaN', 'Infinity', '-Infinity'] }] };
    case 'array':
      return { type: ['array', 'null'] };
    case 'json':
      return {};
    case 'time':
      return { type: ['string', 'null'], format: 'date-time' };
    case 'date':
      return { type: ['string', 'null'], format: 'date' };
    case 'interval':
      return { type: ['string', 'null'], format: 'duration' };
    case 'uuid':
      return namesOthers(column)
        ? { type: ['string', 'null'] }
        : { type: ['string', 'null'], format: 'uuid' };
    default:
      return { type: ['string', 'null'] };
  }
}
