import { parseEnvelope } from '../../platform/signing/dsse.js';
import { fingerprint, type PublishedKey } from '../../platform/signing/key-set.js';
import { findLedgerKeys, type LedgerKey } from '../../platform/signing/ledger-keys.js';
import { appendLocked } from '../append-record.js';
import type { Evidence } from '../open-evidence.js';
import { type EvidenceRecord, readStatement, sha256 } from '../record.js';
import { type ImportedKey, loadImported } from './imported-keys.js';
import { activeKey, type KnownKey, loadKeySet } from './key-set-file.js';
import { openSigner } from './signer.js';

const CHAIN = 'keys';

interface KeyChange extends Record<string, unknown> {
  readonly event: 'created' | 'retired' | 'stolen' | 'imported' | 'ledger-created';
  readonly kid: string;
  readonly at: string;
}

/**
 * Puts on record what happened to the keys and is not there yet, signed with the active key; true when all of it
 * is. Without an active key it waits for the next one. Only while the evidence is locked.
 */
export async function recordKeyChanges(evidence: Evidence): Promise<boolean> {
  const { places } = evidence;
  const { keys } = await loadKeySet(places);
  if (activeKey(keys) === undefined) return false;
  const known = new Set((await recordsOf(evidence)).map(({ content }) => nameOf(content)));
  const changes = [
    ...keys.flatMap((key) => changesOf(key).map((change) => ({ digest: digestOf(key), change }))),
    ...(await loadImported(places)).map((key) => ({ digest: digestOf(key), change: importOf(key) })),
    // Of a secret key not even the digest is anybody's business: its name stands for it.
    ...((await findLedgerKeys(places.ledgerKeys)) ?? []).map((key) => ({
      digest: sha256(key.kid),
      change: ledgerChangeOf(key),
    })),
  ];
  const missing = changes.filter(({ change }) => !known.has(nameOf(change)));
  if (missing.length === 0) return true;
  const signer = await openSigner(places);
  for (const { digest, change } of missing) {
    const name = `${change.event === 'ledger-created' ? 'ledger key' : 'key'} ${change.kid}`;
    await appendLocked(
      evidence,
      { chain: CHAIN, type: 'key-change', subject: [{ name, sha256: digest }], content: change },
      signer,
    );
  }
  return true;
}

const digestOf = ({ x }: PublishedKey) => sha256(Buffer.from(x, 'base64url'));

const said = (by?: string, because?: string, ticket?: string) => ({
  by: by ?? null,
  because: because ?? null,
  ...(ticket === undefined ? {} : { ticket }),
});

function changesOf(key: KnownKey): KeyChange[] {
  const { kid, valid_from, retired_at, stolen_since } = key;
  const retired = said(key.retired_by, key.retired_because, key.retired_ticket);
  return [
    {
      event: 'created',
      kid,
      at: valid_from,
      ...said(key.made_by, key.made_because, key.made_ticket),
    },
    ...(retired_at === undefined ? [] : [{ event: 'retired' as const, kid, at: retired_at, ...retired }]),
    ...(stolen_since === undefined ? [] : [{ event: 'stolen' as const, kid, at: stolen_since, ...retired }]),
  ];
}

function importOf(key: ImportedKey): KeyChange {
  const { kid, owner, imported_at: at } = key;
  const by = said(key.imported_by, key.imported_because, key.imported_ticket);
  return { event: 'imported', kid, at, owner, fingerprint: fingerprint([key]), ...by };
}

function ledgerChangeOf({ kid, made_at, ...key }: LedgerKey): KeyChange {
  const by = said(key.made_by, key.made_because, key.made_ticket);
  return { event: 'ledger-created', kid, at: made_at, ...by };
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
