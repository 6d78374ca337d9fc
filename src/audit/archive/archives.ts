import sql from 'sql-template-tag';
import type { Connection } from '../../platform/database/connection.js';
import type { ArchiveObject } from './archive-objects.js';
import { type Month, monthOf } from './month.js';

/** A month in the object store, or on its way there. */
export interface Archive {
  readonly id: string;
  readonly month: Month;
  /** It holds the leaves of its month from here up to `tree_size`. */
  readonly tree_from: number;
  readonly tree_size: number;
  readonly place: string;
  readonly events: number | null;
  readonly first_leaf: number | null;
  readonly last_leaf: number | null;
  readonly leaves: string | null;
  readonly manifest: string | null;
  readonly record: string | null;
  readonly recorded: boolean;
  readonly dropped_at: Date | null;
}

type Row = Omit<Archive, 'month'> & { readonly category: string; readonly month: string };

const COLUMNS = `id, category::text, month::text, tree_from::float8, tree_size::float8, place, events::float8, first_leaf::float8,
  last_leaf::float8, leaves, manifest, record, recorded_at is not null as recorded, dropped_at`;

const archiveOf = ({ category, month, ...rest }: Row): Archive => ({
  ...rest,
  month: monthOf(category, month),
});

/** In the order in which they were begun. */
export async function readArchives(connection: Connection): Promise<Archive[]> {
  const rows = await connection.query<Row>(`select ${COLUMNS} from audit.archives order by begun_at, id`);
  return rows.map(archiveOf);
}

/** As `audit.begin_archive` does. */
export async function beginArchive(
  connection: Connection,
  { category, month }: Month,
  treeSize: number,
  place: string,
): Promise<Archive> {
  const row = await connection.one<Row>(
    `select ${COLUMNS} from audit.begin_archive($1::audit.category, $2::date, $3, $4)`,
    [category, month, treeSize, place],
  );
  return archiveOf(row);
}

export async function readObjects(
  connection: Connection,
  archive: string,
  kind?: ArchiveObject['kind'],
): Promise<ArchiveObject[]> {
  return await connection.query<ArchiveObject>(sql`
    select kind, number, key, version, size::float8 as size, sha256, events::float8 as events, first_at::text, last_at::text
    from audit.archive_objects where archive_id = ${archive} and destroyed_at is null and (${kind ?? null}::text is null or kind = ${kind ?? null})
    order by kind, number`);
}
