import { rm } from 'node:fs/promises';
import { NestctlError } from '../../platform/errors.js';
import type { Heads } from '../../platform/signing/key-set.js';
import { loadSigningKey } from '../../platform/signing/signing-key.js';
import { lockEvidence } from '../lock-evidence.js';
import type { Evidence } from '../open-evidence.js';
import { headsNow } from './heads-now.js';
import { activeKey, type KnownKey, loadKeySet, retiredBy, saveKeySet } from './key-set-file.js';
import { recordKeyChanges } from './record-key-changes.js';
import { settleRotation } from './signer.js';

export interface Retirement {
  readonly kid: string;
  readonly because: string | undefined;
  readonly ticket: string | undefined;
  /** RFC 3339, UTC. */
  readonly stolenSince: string | undefined;
  /** What the object store, by its own clock, had been given before the theft; undefined where it was not asked. */
  readonly proven: Heads | undefined;
}

/** What would be retired: the named key, else the active one. Throws `not_found`, `usage`, `no_signing_key`. */
export async function planRetirement(
  { places }: Evidence,
  options: {
    readonly kid?: string | undefined;
    readonly because: string | undefined;
    readonly ticket?: string | undefined;
    readonly stolenSince?: Date | undefined;
    readonly proven?: Heads | undefined;
  },
): Promise<Retirement> {
  const { keys } = await loadKeySet(places);
  const key = options.kid === undefined ? activeKey(keys) : keys.find(({ kid }) => kid === options.kid);
  if (key === undefined) {
    throw new NestctlError(
      options.kid === undefined ? 'There is no active signing key.' : `There is no key ${options.kid}.`,
      {
        kind: 'not_found',
        code: 'no_signing_key',
        hint: keys.length > 0 ? `There are: ${keys.map(({ kid }) => kid).join(', ')}.` : undefined,
        next: 'nestctl evidence key publish',
      },
    );
  }
  const stolenSince = options.stolenSince?.toISOString();
  if (stolenSince !== undefined && stolenSince > new Date().toISOString()) {
    throw new NestctlError('--stolen-since is in the future.', { kind: 'usage', code: 'invalid_time' });
  }
  if (key.stolen_since !== undefined && stolenSince !== undefined && stolenSince > key.stolen_since) {
    throw new NestctlError(`${key.kid} was already reported stolen since ${key.stolen_since}.`, {
      kind: 'conflict',
      code: 'stolen_earlier',
      hint: 'A report can only be moved back in time: a later one would make records good again.',
    });
  }
  const { because, ticket, proven } = options;
  return { kid: key.kid, because, ticket, stolenSince, proven };
}

/**
 * Retires a key and destroys its private half where that is a file of ours. A retired key can still be reported
 * stolen. Run again, it ends the same.
 */
export async function retireKey(
  evidence: Evidence,
  { kid, stolenSince, proven, ...why }: Retirement,
): Promise<{ readonly key: KnownKey; readonly destroyed: boolean; readonly recorded: boolean }> {
  return await lockEvidence(evidence, async () => {
    const { places, operator, context } = evidence;
    await settleRotation(places);
    const { keys } = await loadKeySet(places);
    const known = keys.find((candidate) => candidate.kid === kid);
    if (known === undefined) throw new NestctlError(`There is no key ${kid}.`, { kind: 'not_found' });
    const key: KnownKey = {
      ...known,
      ...(known.retired_at === undefined
        ? {
            retired_at: new Date().toISOString(),
            heads: { [context]: await headsNow(evidence) },
            ...retiredBy(operator, why),
          }
        : {}),
      ...(stolenSince === undefined
        ? {}
        : {
            stolen_since: stolenSince,
            // What was proven to lie before a later time than this may not lie before this one.
            proven:
              proven !== undefined
                ? { [context]: proven }
                : stolenSince === known.stolen_since
                  ? known.proven
                  : undefined,
          }),
    };
    await saveKeySet(
      places,
      keys.map((each) => (each.kid === kid ? key : each)),
    );
    let destroyed = false;
    if ('file' in places.key && (await loadSigningKey(places.key))?.kid === kid) {
      await rm(places.key.file);
      destroyed = true;
    }
    return { key, destroyed, recorded: await recordKeyChanges(evidence) };
  });
}
