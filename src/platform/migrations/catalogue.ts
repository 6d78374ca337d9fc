import type { Connection } from '../database/connection.js';
import { CATALOGUE_QUERIES } from './catalogue-queries.js';
import type { Catalogue } from './catalogue-types.js';

export type CatalogueSection = keyof typeof CATALOGUE_QUERIES;

/** The schemas that our migrations fill. */
export const OUR_SCHEMAS = ['public', 'private', 'audit', 'privacy', 'ops'] as const;

export interface CatalogueOptions {
  /** Only these schemas; without it all but the system's. */
  readonly schemas?: readonly string[];
}

/** The whole catalogue as data in a fixed order, so that two can be compared and put into documents. */
export async function catalogue(connection: Connection, options: CatalogueOptions = {}): Promise<Catalogue> {
  return readSections(connection, Object.keys(CATALOGUE_QUERIES) as CatalogueSection[], options);
}

/** Some sections of the catalogue, read at one moment. */
export async function readSections<S extends CatalogueSection>(
  connection: Connection,
  sections: readonly S[],
  options: CatalogueOptions = {},
): Promise<Pick<Catalogue, S>> {
  // PostgreSQL leaves out the schema of what the search path finds: only an empty path gives one spelling.
  const [before] = await connection.query<{ path: string }>(`select current_setting('search_path') as path`);
  await connection.query(`select set_config('search_path', '', false)`);
  try {
    const read: Partial<Record<S, unknown[]>> = {};
    for (const section of sections) {
      read[section] = await connection.query(CATALOGUE_QUERIES[section], [options.schemas ?? null]);
    }
    return read as Pick<Catalogue, S>;
  } finally {
    await connection
      .query(`select set_config('search_path', $1, false)`, [before?.path ?? ''])
      .catch(() => undefined);
  }
}
