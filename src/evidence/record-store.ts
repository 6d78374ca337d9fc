/**
 * Where records are kept. A folder is one; object storage can be another, since all that is asked of it is to keep
 * an object under a name that is not taken (If-None-Match: *) and to list names.
 */
export interface RecordStore {
  /** The chains that were begun, in order of their names. */
  chains(): Promise<string[]>;
  /** The numbers of the records there are, ascending, and the names of whatever else lies among them. */
  list(chain: string): Promise<{ readonly numbers: readonly number[]; readonly others: readonly string[] }>;
  /** The bytes under a number or another name of the chain; undefined where there are none. */
  read(chain: string, name: number | string): Promise<Buffer | undefined>;
  /** Keeps a record for good, whole or not at all; false where the number is taken. Durable once it returns. */
  add(chain: string, number: number, bytes: Buffer): Promise<boolean>;
}
