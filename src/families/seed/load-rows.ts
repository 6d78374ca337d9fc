import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import type { Connection } from '../../platform/database/connection.js';
import { databaseError } from '../../platform/database/errors.js';

const quote = pg.escapeIdentifier;

/** Rows of one table in COPY's text format, in pieces of some ten kilobytes. */
export interface Load {
  readonly table: string;
  readonly columns: readonly string[];
  readonly chunks: readonly string[];
}

/**
 * Writes into tables of `public` by COPY: into a temporary table first, since PostgreSQL refuses COPY where row
 * level security applies, and from there by one INSERT.
 */
export class Loader {
  readonly #connection: Connection;
  readonly #staged = new Set<string>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Within a transaction. `meanwhile` is run while the server takes the rows in. */
  async load({ table, columns, chunks }: Load, meanwhile?: () => void): Promise<void> {
    if (chunks.length === 0) return;
    const names = columns.map((name) => quote(name)).join(', ');
    const staging = `pg_temp.${quote(`staged_${table}`)}`;
    if (!this.#staged.has(table)) {
      await this.#connection.query(
        `create temporary table ${quote(`staged_${table}`)} on commit delete rows
         as select ${names} from public.${quote(table)} with no data`,
      );
      this.#staged.add(table);
    }
    await this.#copy(`copy ${staging} (${names}) from stdin`, chunks);
    const inserted = this.#connection.query(
      `insert into public.${quote(table)} (${names}) select ${names} from ${staging}`,
    );
    meanwhile?.();
    await inserted;
  }

  async #copy(statement: string, chunks: readonly string[]): Promise<void> {
    try {
      await pipeline(Readable.from(chunks), this.#connection.client.query(from(statement)));
    } catch (error) {
      throw databaseError(error, this.#connection.target);
    }
  }
}
