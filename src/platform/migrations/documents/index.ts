import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../database/connection.js';
import { NestctlError } from '../../errors.js';
import { makeFolder } from '../../make-folder.js';
import { sqlPath } from '../../package-root.js';
import { readMigrations } from '../read-migrations.js';
import { migrationStatus } from '../status.js';
import { datamapDocument } from './datamap-document.js';
import { constraintsDocument, indexesDocument } from './keys-documents.js';
import { migrationsDocument } from './migrations-document.js';
import { policiesDocument } from './policies-document.js';
import { publishedCatalogue } from './published-catalogue.js';
import { schemaDocument } from './schema-document.js';

/** Text by file name, as in `schema.md`. */
export type Documents = ReadonlyMap<string, string>;

/**
 * The documents of sql/docs as they should be, from the owner's connection to a database at this console's
 * migrations; throws `not_migrated` for any other.
 */
export async function readDocuments(connection: Connection): Promise<Documents> {
  const status = await migrationStatus(connection);
  if (status.some(({ state }) => state !== 'applied')) {
    throw new NestctlError("The database is not at this nestctl's migrations, so it cannot be described.", {
      kind: 'conflict',
      code: 'not_migrated',
      next: 'nestctl db status',
    });
  }
  const published = await publishedCatalogue(connection);
  return new Map([
    ['schema.md', schemaDocument(published)],
    ['migrations.md', migrationsDocument(await readMigrations())],
    ['policies.md', await policiesDocument(connection, published)],
    ['indexes.md', indexesDocument(published)],
    ['constraints.md', constraintsDocument(published)],
    ['datamap.md', await datamapDocument(connection)],
  ]);
}

/** Names of the files that are not as they should be. */
export async function staleDocuments(
  documents: Documents,
  folder: string = sqlPath('docs'),
): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, text] of documents) {
    const now = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (now?.replaceAll('\r\n', '\n') !== text) stale.push(name);
  }
  return stale;
}

export async function writeDocuments(documents: Documents, folder: string = sqlPath('docs')): Promise<void> {
  await makeFolder(folder);
  for (const [name, text] of documents) await writeFile(join(folder, name), text);
}
