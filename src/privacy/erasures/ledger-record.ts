import { type Evidence, readStatement } from '../../evidence/index.js';
import { parseEnvelope } from '../../platform/signing/dsse.js';

/** Of what is entered in it: entries of another purpose never match. */
export const LEDGER_PURPOSE = 'erasure';
/** In the evidence of the context; every console of it writes there. */
export const LEDGER_CHAIN = 'erasures';
export const LEDGER_RECORD = 'erasure';

/** What the ledger says of an erasure: no personal data, and enough to know its people again. */
export interface LedgerRecord {
  /** The id of the erasure. */
  readonly erasure: string;
  readonly request: string;
  readonly ground: string;
  readonly approval: string;
  /** SHA-256 of the plan that was approved, hex. */
  readonly plan: string;
  /** SHA-256 of the catalogue and the data map that it was made from, hex. */
  readonly catalogue: string;
  /** How many families went too. */
  readonly families: number;
  /** The day, YYYY-MM-DD. */
  readonly scheduled: string;
  /** What was done to rows of which kind. */
  readonly policy: readonly {
    readonly table: string;
    readonly rows_of: string;
    readonly does?: string;
    readonly columns?: readonly string[];
  }[];
  /** HMAC-SHA-256 of each, under the ledger key of the console that wrote it. */
  readonly identifiers: readonly { readonly names: string; readonly kid: string; readonly mac: string }[];
}

/** What is hashed for an identifier: an address of one kind is never taken for one of another. */
export const spelledFor = (names: string, value: string): string => `${names}:${value}`;

/** An entry as it was signed: nothing here is verified. */
export interface SignedEntry {
  /** chain/number. */
  readonly record: string;
  readonly made_at: Date;
  readonly made_by: string;
  readonly envelope: string;
  readonly content: LedgerRecord;
}

/** The entries that are here, the newest first. */
export async function ledgerRecords({ store }: Evidence): Promise<SignedEntry[]> {
  const entries: SignedEntry[] = [];
  const { numbers } = await store.list(LEDGER_CHAIN);
  for (const number of [...numbers].reverse()) {
    const envelope = (await store.read(LEDGER_CHAIN, number))?.toString('utf8') ?? '';
    const parsed = parseEnvelope(envelope);
    const statement = parsed && readStatement(parsed);
    if (statement?.type !== LEDGER_RECORD) continue;
    entries.push({
      record: `${LEDGER_CHAIN}/${number}`,
      made_at: new Date(statement.made_at),
      made_by: statement.made_by,
      envelope,
      content: statement.content as unknown as LedgerRecord,
    });
  }
  return entries;
}
