import { parseEnvelope } from '../../platform/signing/dsse.js';
import { appendLocked } from '../append-record.js';
import type { Evidence } from '../open-evidence.js';
import { type EvidenceRecord, readStatement, sha256 } from '../record.js';
import { activeKey, type KnownKey, loadKeySet } from './key-set-file.js';
import { openSigner } from './signer.js';

const CHAIN = 'keys';

interface KeyChange extends Record<string, unknown> {
  readonly event: 'created' | 'retired' | 'stolen';
  readonly kid: string;
  readonly at: string;
}

/**
 * Puts on record what happened to the keys and is not there yet, signed with the active key; true when all of it
 * is. Without an active key it waits for the next one. Only while the evidence is locked.
 */
export async function recordKeyChanges(evidence: Evidence): Promise<boolean> {
  const { keys } = await loadKeySet(evidence.places);
  if (activeKey(keys) === undefined) return false;
  const known = new Set((await recordsOf(evidence)).map(({ content }) => nameOf(content)));
  const missing = keys.flatMap((key) =>
    changesOf(key)
      .filter((change) => !known.has(nameOf(change)))
      .map((change) => ({ key, change })),
  );
  if (missing.length === 0) return true;
  const signer = await openSigner(evidence.places);
  for (const { key, change } of missing) {
    const digest = sha256(Buffer.from(key.x, 'base64url'));
    await appendLocked(
      evidence,
      {
        chain: CHAIN,
        type: 'key-change',
        subject: [{ name: `key ${key.kid}`, sha256: digest }],
        content: change,
      },
      signer,
    );
  }
  return true;
}

function changesOf(key: KnownKey): KeyChange[] {
  const { kid, valid_from, made_by, made_because, retired_at, retired_by, retired_because, stolen_since } =
    key;
  const why = (by?: string, because?: string) => ({ by: by ?? null, because: because ?? null });
  return [
    { event: 'created', kid, at: valid_from, ...why(made_by, made_because) },
    ...(retired_at === undefined
      ? []
      : [{ event: 'retired' as const, kid, at: retired_at, ...why(retired_by, retired_because) }]),
    ...(stolen_since === undefined
      ? []
      : [{ event: 'stolen' as const, kid, at: stolen_since, ...why(retired_by, retired_because) }]),
  ];
}

function nameOf({ event, kid, at }: Readonly<Record<string, unknown>>): string {
  return `${event} ${kid} ${at}`;
}

async function recordsOf({ store }: Evidence): Promise<EvidenceRecord[]> {
  const records: EvidenceRecord[] = [];
  for (const number of (await store.list(CHAIN)).numbers) {
    const envelope = parseEnvelope((await store.read(CHAIN, number))?.toString('utf8') ?? '');
    const record = envelope === undefined ? undefined : readStatement(envelope);
    if (record !== undefined) records.push(record);
  }
  return records;
}
