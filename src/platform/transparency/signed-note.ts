/** Signed notes, https://c2sp.org/signed-note, with Ed25519 signatures alone. */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { NamedKey } from '../signing/dsse.js';

const ED25519 = 1;

/** Text, ending its last line, under the signature of a key that goes by `name`. */
export function signNote(text: string, name: string, key: KeyObject): string {
  const signature = Buffer.concat([keyId(name, key), sign(null, Buffer.from(text), key)]);
  return `${text}\n— ${name} ${signature.toString('base64')}\n`;
}

export interface OpenedNote {
  readonly text: string;
  /** The `kid` of the key that signed it under the expected name; undefined where none of those given did. */
  readonly kid: string | undefined;
}

/** The text of a note and whose it is; undefined where it is no note at all. What nobody signed is not to be believed. */
export function openNote(note: string, keys: readonly NamedKey[]): OpenedNote | undefined {
  const cut = note.lastIndexOf('\n\n');
  const text = note.slice(0, cut + 1);
  const lines = note.slice(cut + 2).split('\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a note has none but line feeds
  if (cut < 0 || lines.pop() !== '' || lines.length === 0 || /[\0-\t\v-\x1f]/.test(note)) return undefined;
  let kid: string | undefined;
  for (const line of lines) {
    const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    if (name === undefined || encoded === undefined) return undefined;
    const signature = Buffer.from(encoded, 'base64');
    // One spelling for each signature, so that no byte of a note can change unnoticed.
    if (signature.toString('base64') !== encoded) return undefined;
    const known = keys.find(({ key }) => keyId(name, key).equals(signature.subarray(0, 4)));
    if (known === undefined || !text.startsWith(`${name}\n`)) continue;
    if (!verify(null, Buffer.from(text), known.key, signature.subarray(4))) return { text, kid: undefined };
    kid ??= known.kid;
  }
  return { text, kid };
}

/** The first four bytes of SHA-256(name ‖ 0A ‖ 01 ‖ public key). */
function keyId(name: string, key: KeyObject): Buffer {
  const { x = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), Buffer.from(x, 'base64url')]);
  return hash('sha256', bytes, 'buffer').subarray(0, 4);
}
