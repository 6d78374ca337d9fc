import { NestctlError } from '../platform/errors.js';
import { type Envelope, parseEnvelope } from '../platform/signing/dsse.js';
import type { Evidence } from './open-evidence.js';
import { type EvidenceRecord, readStatement, sha256 } from './record.js';

/** A record as it says of itself: nothing here is verified. */
export interface ListedRecord {
  readonly id: string;
  readonly chain: string;
  readonly number: number;
  /** Null where it is damaged. */
  readonly record: EvidenceRecord | null;
  readonly kid: string | null;
  readonly hash: string;
}

/** The newest records first, of one chain or of all; `limit` at most. */
export async function listRecords(
  { store }: Evidence,
  options: {
    readonly chain?: string | undefined;
    readonly type?: string | undefined;
    readonly limit: number;
  },
): Promise<{ readonly records: ListedRecord[]; readonly more: boolean }> {
  const { chain: only, type, limit } = options;
  const chains = await store.chains();
  if (only !== undefined && !chains.includes(only)) throw noChain(only, chains);
  const found: ListedRecord[] = [];
  for (const chain of only === undefined ? chains : [only]) {
    const { numbers } = await store.list(chain);
    let taken = 0;
    for (const number of [...numbers].reverse()) {
      if (taken > limit) break;
      const listed = describe(chain, number, (await store.read(chain, number)) ?? Buffer.alloc(0));
      if (type !== undefined && listed.record?.type !== type) continue;
      found.push(listed);
      taken += 1;
    }
  }
  found.sort(newestFirst);
  return { records: found.slice(0, limit), more: found.length > limit };
}

function newestFirst(a: ListedRecord, b: ListedRecord): number {
  if (a.chain === b.chain) return b.number - a.number;
  return (b.record?.made_at ?? '').localeCompare(a.record?.made_at ?? '') || a.chain.localeCompare(b.chain);
}

/** A record and its envelope by `CHAIN/NUMBER`, as it says of itself. Throws `usage` and `not_found`. */
export async function findRecord(
  { store }: Evidence,
  id: string,
): Promise<{ readonly listed: ListedRecord; readonly envelope: Envelope | undefined }> {
  const [, chain, digits] = /^([a-z0-9-]+)\/([1-9]\d{0,14})$/.exec(id) ?? [];
  if (chain === undefined) {
    throw new NestctlError(`"${id}" is not a record: write CHAIN/NUMBER, such as keys/1.`, { kind: 'usage' });
  }
  const chains = await store.chains();
  if (!chains.includes(chain)) throw noChain(chain, chains);
  const bytes = await store.read(chain, Number(digits));
  if (bytes === undefined) {
    const { numbers } = await store.list(chain);
    throw new NestctlError(`There is no record ${digits} in the chain ${chain}.`, {
      kind: 'not_found',
      code: 'no_record',
      hint: `Its last one is ${numbers.at(-1) ?? 0}.`,
      next: `nestctl evidence list --chain ${chain}`,
    });
  }
  return {
    listed: describe(chain, Number(digits), bytes),
    envelope: parseEnvelope(bytes.toString('utf8')),
  };
}

function describe(chain: string, number: number, bytes: Buffer): ListedRecord {
  const envelope = parseEnvelope(bytes.toString('utf8'));
  return {
    id: `${chain}/${number}`,
    chain,
    number,
    record: (envelope && readStatement(envelope)) ?? null,
    kid: envelope?.signatures[0]?.keyid ?? null,
    hash: sha256(bytes),
  };
}

function noChain(chain: string, chains: readonly string[]): NestctlError {
  return new NestctlError(`There is no chain "${chain}".`, {
    kind: 'not_found',
    code: 'no_chain',
    hint: chains.length > 0 ? `There are: ${chains.join(', ')}.` : 'There is no evidence yet.',
    next: 'nestctl evidence list',
  });
}
