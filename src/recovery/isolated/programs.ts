import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolder } from '../../platform/data-folder.js';
import { NestctlError } from '../../platform/errors.js';
import { readyBinaries } from '../../platform/local/binaries.js';
import type { ServerUser } from '../../platform/local/run-as.js';

/** Where distributions put the programs of a major version. */
const USUAL = [
  (major: string) => `/usr/lib/postgresql/${major}/bin`,
  (major: string) => `/usr/pgsql-${major}/bin`,
  (major: string) => `/opt/homebrew/opt/postgresql@${major}/bin`,
];

/** The server program of a major version: the system's, else the embedded one. Throws `no_postgres`. */
export async function findPostgres(major: string, user: ServerUser): Promise<string> {
  for (const folder of USUAL) {
    const program = join(folder(major), 'postgres');
    if (await access(program, constants.X_OK).then(isTrue, isFalse)) return program;
  }
  const embedded = await readyBinaries({ user, stageIn: join(dataFolder(), 'binaries') }).catch(
    (error: unknown) => {
      if (error instanceof NestctlError) return undefined;
      throw error;
    },
  );
  if (embedded !== undefined && String(embedded.major) === major) return embedded.postgres;
  throw new NestctlError(`There is no PostgreSQL ${major} on this machine to restore with.`, {
    kind: 'conflict',
    code: 'no_postgres',
    hint: `A backup is restored by the version that it was made of: install the server package of PostgreSQL ${major}.`,
  });
}

const isTrue = () => true;
const isFalse = () => false;
