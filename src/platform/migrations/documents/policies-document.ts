import type { Connection } from '../../database/connection.js';
import type { Catalogue, Policy, Relation } from '../catalogue-types.js';
import { code, groupBy, markdownTable, paragraphs, sqlBlock, title } from './markdown.js';
import { grantsInWords } from './published-catalogue.js';

const ABOUT =
  'First the access table as it is declared in the database, then, one section a table, the grants and the Row ' +
  'Level Security policies that enforce it. `owner` is the owner of the table.';
const MEMBERS =
  'By role in the family. `all`: every row of the family; `own`: rows the person created; `today`: rows of the ' +
  "current day in the family's time zone; `self`: the person's own rows; –: nothing.";
const DUTIES =
  'Operators under a duty. `grant`: rows in the scope of a live access grant; `subject grant`: of a live grant ' +
  'for a data subject, and in a family only where the subject is family_core or extended_family; `break-glass`: under a live break-glass grant; `directory session`: masked, within one; ' +
  '`always`: without one; –: nothing.';

/** The access table from `public.role_permissions` and `ops.duty_permissions`, then grants and policies. */
export async function policiesDocument(connection: Connection, catalogue: Catalogue): Promise<string> {
  const roles = await connection.query<Cell>(
    `select resource as row, role as "column", string_agg(actions, '; ' order by scope collate "C") as cell
     from (select split_part(permission, ':', 1) as resource, role, row_scope as scope,
                  replace(row_scope, '_', ' and ') || ': '
                  || string_agg(split_part(permission, ':', 2), ', ' order by permission collate "C") as actions
           from public.role_permissions group by 1, 2, 3) given
     group by resource, role order by resource collate "C", role collate "C"`,
  );
  const duties = await connection.query<Cell>(
    `select resource as row, duty as "column", string_agg(commands, '; ' order by condition collate "C") as cell
     from (select resource, duty, condition,
                  condition || ': ' || string_agg(command, ', ' order by command collate "C") as commands
           from ops.duty_permissions group by resource, duty, condition) given
     group by resource, duty order by resource collate "C", duty collate "C"`,
  );
  return paragraphs(
    title('Access and Row Level Security', ABOUT),
    '## Members',
    MEMBERS,
    pivot('rows', ['family_core', 'extended_family', 'professional', 'institutional'], roles),
    '## Staff',
    DUTIES,
    pivot('rows', ['support', 'compliance', 'sre', 'auditor', 'admin'], duties),
    '## Schemas',
    markdownTable(
      ['schema', 'granted to'],
      catalogue.schemas.map(({ name, grants }) => [code(name), grantsInWords(grants).join('; ') || 'nobody']),
    ),
    '## Tables and views',
    ...catalogue.relations.map((relation) =>
      relationSection(
        relation,
        catalogue.policies.filter(
          ({ schema, table }) => schema === relation.schema && table === relation.name,
        ),
      ),
    ),
    '## Functions',
    ...groupBy(catalogue.routines, ({ schema }) => schema).map(([schema, routines]) =>
      paragraphs(
        `### Functions in ${schema}`,
        markdownTable(
          ['function', 'runs as', 'granted to'],
          routines.map((routine) => [
            code(`${routine.name}(${routine.arguments})`),
            routine.securityDefiner ? 'owner' : 'caller',
            grantsInWords(routine.grants).join('; ').replaceAll(': EXECUTE', '') || 'nobody',
          ]),
        ),
      ),
    ),
  );
}

interface Cell {
  readonly row: string;
  readonly column: string;
  readonly cell: string;
}

function pivot(head: string, columns: readonly string[], cells: readonly Cell[]): string {
  const others = [...new Set(cells.map(({ column }) => column))].filter(
    (column) => !columns.includes(column),
  );
  const all = [...columns, ...others];
  const rows = groupBy(cells, ({ row }) => row).map(([row, of]) => [
    code(row),
    ...all.map((column) => of.find((cell) => cell.column === column)?.cell ?? '–'),
  ]);
  return markdownTable([head, ...all], rows);
}

function relationSection(relation: Relation, policies: readonly Policy[]): string {
  const isTable = relation.kind.endsWith('table');
  const rls = relation.rls ? (relation.forcedRls ? 'enabled and forced' : 'enabled, not forced') : 'off';
  const columns = relation.columns.flatMap(({ name, grants }) =>
    grantsInWords(grants).map((grant) => `- ${grant} of \`${name}\``),
  );
  return paragraphs(
    `### ${relation.schema}.${relation.name}`,
    isTable ? `Row Level Security: ${rls}.` : `A ${relation.kind}.`,
    [...grantsInWords(relation.grants).map((grant) => `- ${grant}`), ...columns].join('\n') ||
      'Granted to nobody but its owner.',
    policies.length === 0 ? undefined : sqlBlock(policies.map(policySql)),
  );
}

function policySql({ name, command, permissive, roles, using, check }: Policy): string {
  return [
    `policy ${name} for ${command} to ${roles.join(', ')}${permissive ? '' : ' restrictive'}`,
    ...(using === null ? [] : [`  using ${using}`]),
    ...(check === null ? [] : [`  with check ${check}`]),
  ].join('\n');
}
