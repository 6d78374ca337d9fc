import type { Connection } from './connection.js';

/** What one run of a command has written, as the audit log has it. */
export interface Receipt {
  /** Events, all of them. */
  readonly count: number;
  /** In the order in which they were first written. */
  readonly tables: readonly {
    /** schema.table */
    readonly table: string;
    readonly operation: 'insert' | 'update' | 'delete';
    readonly count: number;
  }[];
  /** The first ten. */
  readonly transactions: readonly {
    /** xid8 as text. */
    readonly transaction: string;
    /** UUID: the run's, or that of a move of rows between families. */
    readonly request: string;
    readonly count: number;
  }[];
  readonly transaction_count: number;
  /** The first ten. */
  readonly first: readonly {
    /** int8 as text. */
    readonly event: string;
    readonly transaction: string;
    readonly table: string;
    readonly operation: 'insert' | 'update' | 'delete';
    /** SHA-256, hexadecimal: whoever keeps it can tell later that the event was altered or is gone, sealed or not. */
    readonly leaf: string;
  }[];
}

/** What was committed under the request of this connection; undefined where nothing was. */
export async function readReceipt(connection: Connection): Promise<Receipt | undefined> {
  const { receipt } = await connection.one<{ receipt: Receipt | null }>('select audit.receipt() as receipt');
  return receipt ?? undefined;
}
