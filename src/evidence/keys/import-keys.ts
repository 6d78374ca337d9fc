import { NestctlError } from '../../platform/errors.js';
import { fingerprint, type Heads, type PublishedKey, publicPart } from '../../platform/signing/key-set.js';
import { lockEvidence } from '../lock-evidence.js';
import type { Evidence } from '../open-evidence.js';
import { type ImportedKey, loadImported, saveImported } from './imported-keys.js';
import { loadKeySet, type Why } from './key-set-file.js';
import { readKeySet } from './publish-keys.js';
import { recordKeyChanges } from './record-key-changes.js';

export interface KeyImport {
  readonly owner: string;
  /** Of the whole file, as `publish` shows it where it was written. */
  readonly fingerprint: string;
  readonly keys: readonly PublishedKey[];
  readonly new: readonly string[];
  /** Known already, and retired or reported stolen since. */
  readonly changed: readonly string[];
}

/**
 * What importing a published key set would let this console trust; keys of its own in it are left out. Throws
 * `key_loosened` where a key that is retired or stolen here would become good again, `key_set_empty`.
 */
export async function planImport({ places }: Evidence, path: string, owner: string): Promise<KeyImport> {
  const { keys: all } = await readKeySet(path);
  const own = new Set((await loadKeySet(places)).keys.map(({ kid }) => kid));
  const keys = all.filter(({ kid }) => !own.has(kid)).map(publicPart);
  if (keys.length === 0) {
    throw new NestctlError(`There is no key of anybody else in ${path}.`, {
      kind: 'conflict',
      code: 'key_set_empty',
      hint: 'The other operator writes the file with nestctl evidence key publish --to FILE.',
    });
  }
  const known = new Map((await loadImported(places)).map((key) => [key.kid, key]));
  const changed = keys.filter((key) => {
    const before = known.get(key.kid);
    if (before === undefined) return false;
    refuseLoosened(before, key);
    return fingerprint([before]) !== fingerprint([key]);
  });
  return {
    owner,
    fingerprint: fingerprint(all),
    keys,
    new: keys.filter(({ kid }) => !known.has(kid)).map(({ kid }) => kid),
    changed: changed.map(({ kid }) => kid),
  };
}

/** Trusts the keys of a plan from now on, and puts that on record. Run again, it ends the same. */
export async function importKeys(
  evidence: Evidence,
  plan: KeyImport,
  why: Why,
): Promise<{ readonly imported: readonly string[]; readonly recorded: boolean }> {
  return await lockEvidence(evidence, async () => {
    const { places, operator } = evidence;
    const before = await loadImported(places);
    const now = {
      owner: plan.owner,
      imported_at: new Date().toISOString(),
      imported_by: operator,
      imported_because: why.because,
      imported_ticket: why.ticket,
    };
    const touched = new Set([...plan.new, ...plan.changed]);
    const taken = plan.keys.filter(({ kid }) => touched.has(kid));
    // Another run may have got there first, with a later word on the same key.
    for (const key of taken) {
      const known = before.find(({ kid }) => kid === key.kid);
      if (known !== undefined) refuseLoosened(known, key);
    }
    const all: ImportedKey[] = [
      ...before.filter(({ kid }) => !touched.has(kid)),
      ...taken.map((key) => ({ ...key, ...now })),
    ];
    await saveImported(places, all);
    return { imported: taken.map(({ kid }) => kid), recorded: await recordKeyChanges(evidence) };
  });
}

/** What is known against a key can only grow: an older file, or a forged one, must not take it back. */
function refuseLoosened(before: PublishedKey, after: PublishedKey): void {
  const later = (name: 'retired_at' | 'stolen_since') => {
    const known = before[name];
    return known !== undefined && (after[name] === undefined || after[name] > known);
  };
  const loosened =
    before.valid_from !== after.valid_from ||
    later('retired_at') ||
    later('stolen_since') ||
    (before.heads !== undefined && (after.heads === undefined || !within(before.heads, after.heads))) ||
    (before.stolen_since !== undefined && !within(before.proven ?? before.heads ?? {}, after.proven ?? {}));
  if (!loosened) return;
  throw new NestctlError(`In this file the key ${before.kid} is better than it is known to be here.`, {
    kind: 'conflict',
    code: 'key_loosened',
    hint: 'It is an older file, or a forged one: ask its owner for the latest, and compare the fingerprint.',
    next: 'nestctl evidence key publish',
  });
}

/** Whether every head of `after` is one of `before`, or short of it. */
function within(before: Readonly<Record<string, Heads>>, after: Readonly<Record<string, Heads>>): boolean {
  return Object.entries(after).every(([context, heads]) =>
    Object.entries(heads).every(([chain, { size }]) => size <= (before[context]?.[chain]?.size ?? 0)),
  );
}
