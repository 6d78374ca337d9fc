import { expect } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { TestDatabase } from './database.js';
import type { PlantedWorld } from './planted-people.js';

type Row = Readonly<Record<string, unknown>>;

/** What the data map exports, as table.column. */
export async function exportedColumns(database: TestDatabase): Promise<ReadonlySet<string>> {
  const columns = await withConnection(database.superuser, (superuser) =>
    superuser.query<{ name: string }>(
      `select table_name || '.' || column_name as name from privacy.column_answers where exported`,
    ),
  );
  return new Set(columns.map(({ name }) => name));
}

/** Rows that a package must hold, told once more and by other means than the map: by whose they are. */
function isGiven({ subject, memberships, names, stoodFor }: PlantedWorld, table: string, row: Row): boolean {
  const [address] = names.get(subject) ?? [];
  const kin = new Set(
    memberships
      .filter(
        ({ person, role, status, ended }) =>
          person === subject &&
          ['family_core', 'extended_family'].includes(role) &&
          ['active', 'suspended'].includes(status) &&
          !ended,
      )
      .map(({ family }) => family),
  );
  switch (table) {
    case 'public.users':
      return row.id === subject;
    case 'public.families':
      return kin.has(String(row.id));
    case 'public.inventory_items':
    case 'public.reorder_suggestions':
      return kin.has(String(row.family_id)) || stoodFor.has(`${row.family_id}/${row.child_id}`);
    case 'public.analytics_events':
      return kin.has(String(row.family_id));
    case 'public.family_invitations':
      return kin.has(String(row.family_id)) || String(row.email).toLowerCase() === address?.toLowerCase();
    case 'public.children':
      return stoodFor.has(`${row.family_id}/${row.id}`);
    case 'public.emergency_profiles':
    case 'public.usage_logs':
    case 'public.usage_analytics':
      return stoodFor.has(`${row.family_id}/${row.child_id}`);
    default:
      return row.user_id === subject;
  }
}

/** The same of the package of a child, which holds the child's rows alone. */
export function isGivenToChild(child: { family: string; id: string }, table: string, row: Row): boolean {
  if (row.family_id !== child.family) return false;
  return table === 'public.children' ? row.id === child.id : row.child_id === child.id;
}

/** What a reader sees who looks past case, accents and what is not printed. */
const seen = (text: string) =>
  text
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .toLowerCase();

/** Holds the package of a world against what was planted: all that is the person's, and nothing of anybody else. */
export function checkPackage(
  world: PlantedWorld,
  files: ReadonlyMap<string, string>,
  exported: ReadonlySet<string>,
  child?: { readonly family: string; readonly id: string },
): void {
  const of = (ending: string) =>
    seen(
      [...files]
        .filter(([path]) => path.endsWith(ending))
        .map(([, text]) => text)
        .join('\n'),
    );
  const [json, csv, all] = [of('.json'), of('.csv'), of('')];
  // However a number is written; all the digits of a package in one row would hold any number by chance.
  const numbers = [...all.matchAll(/\d(?:[ .()/-]{0,3}\d){9,}/g)].map(([found]) => found.replace(/\D/g, ''));
  const dialled = (marker: string) => /^\d{10}$/.test(marker) && numbers.some((one) => one.includes(marker));
  const missing: string[] = [];
  const leaked: string[] = [];
  for (const { marker, table, column, row } of world.planted) {
    const place = `${table}.${column}`;
    const given = child === undefined ? isGiven(world, table, row) : isGivenToChild(child, table, row);
    if (exported.has(place) && given) {
      if (!json.includes(marker)) missing.push(`${place} in JSON`);
      if (!csv.includes(marker)) missing.push(`${place} in CSV`);
    } else if (all.includes(marker) || dialled(marker)) leaked.push(`${place}: ${marker}`);
  }
  // Joint rows of a household name its children.
  const others =
    child === undefined ? world.people : [...world.people, ...world.children.map(({ id }) => id)];
  const own = child?.id ?? world.subject;
  for (const id of others.filter((other) => other !== own)) {
    if (all.includes(id) || all.includes(id.replaceAll('-', ''))) leaked.push(`id ${id}`);
  }
  expect({ missing, leaked }).toEqual({ missing: [], leaked: [] });
}
