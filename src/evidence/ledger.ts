import { timingSafeEqual } from 'node:crypto';
import { NestctlError } from '../platform/errors.js';
import { type LedgerKey, ledgerMac, loadLedgerKeys } from '../platform/signing/ledger-keys.js';
import type { Evidence } from './open-evidence.js';

/** What stands in a ledger for something that must not be in it, such as the address of an erased person. */
export interface LedgerEntry {
  /** The key that made it. */
  readonly kid: string;
  /** HMAC-SHA-256, hex. */
  readonly mac: string;
}

/**
 * Recognises what was entered, without holding it: nobody can try texts against the entries who does not have the
 * key. Texts are compared byte by byte, so addresses must be written alike each time.
 */
export interface Ledger {
  /** The entry for a text, made with the newest key. */
  entry(text: string): LedgerEntry;
  /** What an entry for a text can be: one for each key that is here. */
  entries(text: string): LedgerEntry[];
  /** Whether the key that made an entry is here: without it nothing can be said of it. */
  knows(entry: LedgerEntry): boolean;
  /** Whether an entry stands for this text. Throws `ledger_key_unknown` where its key is not here. */
  matches(text: string, entry: LedgerEntry): boolean;
}

/** The ledger of a purpose; those of others never match. Throws `no_ledger_key`, `key_open`, `key_invalid`. */
export async function openLedger({ places }: Pick<Evidence, 'places'>, purpose: string): Promise<Ledger> {
  const keys = await loadLedgerKeys(places.ledgerKeys);
  const newest = keys.at(-1) ?? keys[0];
  const made = (key: LedgerKey, text: string) => ({ kid: key.kid, mac: ledgerMac(key, purpose, text) });
  return {
    entry: (text) => made(newest, text),
    entries: (text) => keys.map((key) => made(key, text)),
    knows: ({ kid }) => keys.some((key) => key.kid === kid),
    matches(text, { kid, mac }) {
      const key = keys.find((each) => each.kid === kid);
      // No match would be a claim; without the key nothing can be said.
      if (key === undefined) throw unknown(kid);
      const own = Buffer.from(ledgerMac(key, purpose, text));
      return own.length === mac.length && timingSafeEqual(own, Buffer.from(mac));
    },
  };
}

function unknown(kid: string): NestctlError {
  return new NestctlError(`An entry was made with the ledger key ${kid}, which is not on this machine.`, {
    kind: 'conflict',
    code: 'ledger_key_unknown',
    hint: 'Whether it stands for this person cannot be told: bring the file of ledger keys from where it was made.',
  });
}
