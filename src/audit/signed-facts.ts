import { appendRecord, type Draft, type Evidence, findStatement, readStatement } from '../evidence/index.js';
import { type NamedKey, parseEnvelope, signersOf } from '../platform/signing/dsse.js';

/** What is signed of a part of the log before it leaves the database. */
export type Facts = Readonly<Record<string, string | number | null>>;

/** A record in the chain `audit` of the evidence. */
export type FactsDraft = Pick<Draft, 'type' | 'subject'> & { readonly content: Facts };

const CHAIN = 'audit';

/** Signs for facts, a DSSE envelope; the one that a try before had signed is taken. Throws `no_signing_key`. */
export async function signOnce(evidence: Evidence, draft: FactsDraft): Promise<string> {
  const { type, content } = draft;
  const before = await findStatement(evidence, { chain: CHAIN, type }, (said) => agrees(said, content));
  const record = before ?? (await appendRecord(evidence, { chain: CHAIN, ...draft })).record;
  return (await evidence.store.read(record.chain, record.number))?.toString('utf8') ?? '';
}

/** Whether a known key has signed an envelope, and that it is for these facts. */
export function isSignedFor(
  envelope: string | null,
  keys: readonly NamedKey[],
  type: string,
  facts: Facts,
): boolean {
  const parsed = envelope === null ? undefined : parseEnvelope(envelope);
  if (parsed === undefined || signersOf(parsed, keys).length === 0) return false;
  const statement = readStatement(parsed);
  return statement?.type === type && agrees(statement.content, facts);
}

const agrees = (said: Readonly<Record<string, unknown>>, facts: Facts) =>
  Object.entries(facts).every(([name, value]) => said[name] === value);
