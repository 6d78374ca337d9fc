import { NestctlError } from '../platform/errors.js';
import { areHeads, type Heads } from '../platform/signing/key-set.js';
import { readPrivateFile, replacePrivateFile } from '../platform/signing/private-file.js';
import type { Evidence } from './open-evidence.js';

/** The furthest heads this console has seen: it is a witness against a chain that was cut or replaced. */
export async function seenHeads({ places }: Evidence): Promise<Heads> {
  const text = await readPrivateFile(places.seen);
  return text === undefined ? {} : parseHeads(text, places.seen);
}

/** Remembers heads that go further than what was seen. Only while the evidence is locked. */
export async function rememberHeads(evidence: Evidence, heads: Heads): Promise<void> {
  const seen = await seenHeads(evidence);
  const further = Object.entries(heads).filter(([chain, { size }]) => size > (seen[chain]?.size ?? 0));
  if (further.length === 0) return;
  const all = { ...seen, ...Object.fromEntries(further) };
  await replacePrivateFile(evidence.places.seen, `${JSON.stringify(all, null, 2)}\n`);
}

function parseHeads(text: string, from: string): Heads {
  try {
    const heads: unknown = JSON.parse(text);
    if (areHeads(heads)) return heads;
  } catch {
    // Said below.
  }
  throw new NestctlError(`${from} is not a list of heads.`, {
    kind: 'failure',
    code: 'heads_invalid',
    hint: 'It is what this console remembers of its evidence: put it back from a backup, or ask who changed it.',
  });
}
