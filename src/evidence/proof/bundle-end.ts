import type { KeyObject } from 'node:crypto';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { openNote, signNote } from '../../platform/transparency/signed-note.js';

/** What whoever exported a bundle signs at its end. */
export interface BundleEnd {
  /** UUID of the log. */
  readonly log: string;
  /** Of all bytes before it, hex. */
  readonly sha256: string;
}

/** The signed note at the end of a bundle. */
export function signEnd({ log, sha256 }: BundleEnd, key: KeyObject): string {
  const name = `nestsync-audit-bundle/${log}`;
  return signNote(`${name}\nsha256 ${sha256}\n`, name, key);
}

const TEXT = /^nestsync-audit-bundle\/([0-9a-f-]{36})\nsha256 ([0-9a-f]{64})\n$/;

/** Reads it; undefined where it is no such note. */
export function openEnd(
  note: string,
  keys: readonly NamedKey[],
): (BundleEnd & { readonly kid: string | undefined }) | undefined {
  const opened = openNote(note, keys);
  const [, log, sha256] = TEXT.exec(opened?.text ?? '') ?? [];
  if (opened === undefined || log === undefined || sha256 === undefined) return undefined;
  // Other signatures beside it would be bytes that nobody has signed.
  return note.split('\n').length === 5 ? { log, sha256, kid: opened.kid } : undefined;
}
