import { type Evidence, lockEvidence, namedKeys, openSigner, verifyingKeys } from '../../evidence/index.js';
import type { Connection } from '../../platform/database/connection.js';
import { NestctlError } from '../../platform/errors.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import {
  openCheckpoint,
  originOf,
  partsOf,
  type SignedCheckpoint,
  signCheckpoint,
} from '../../platform/transparency/checkpoint.js';
import { GrowingTree } from '../../platform/transparency/merkle.js';
import { familyTree, readFamilyChains } from './family-chains.js';
import { type LogState, readLogState } from './log-state.js';
import { type GuardedCatalogue, readGuarded } from './read-catalogue.js';
import { rememberCheckpoint, seenCheckpoints } from './seen-checkpoints.js';
import { growTo, treeAt } from './tree-tiles.js';

/** A head is signed again after this long, milliseconds, though nothing has changed: it shows that the sealer lives. */
const HEARTBEAT = 3_600_000;

/**
 * Signs the head of the tree where it goes further than the last one, and only if it contains it: the root is
 * computed here, from the tiles, on top of what this console has seen. Throws `log_cut`, `log_rewritten`,
 * `tiles_damaged` and what `openSigner` does.
 */
export async function makeCheckpoint(
  connection: Connection,
  evidence: Evidence,
): Promise<{ readonly checkpoint: SignedCheckpoint; readonly signed: boolean }> {
  return await lockEvidence(evidence, async () => {
    const signer = await openSigner(evidence.places);
    const keys = namedKeys(await verifyingKeys(evidence.places));
    const state = await readLogState(connection);
    const catalogue = await readGuarded(connection);
    const last = await lastKnown(connection, evidence, keys, state);
    const tree = await goOn(connection, last, state);
    await growTo(connection, tree, state.size);
    if (last !== undefined && !isDue(last, state, catalogue)) return { checkpoint: last, signed: false };
    const note = signCheckpoint(
      {
        origin: originOf(state.log, state.epoch),
        size: tree.size,
        root: tree.root(),
        families: familyTree(await readFamilyChains(connection)).root(),
        catalogue: catalogue.fingerprint,
        firstEpoch: state.firstEpoch,
        watermark: state.watermark,
        madeAt: new Date().toISOString(),
      },
      signer,
    );
    const checkpoint = openCheckpoint(note, keys);
    if (checkpoint?.kid !== signer.kid) throw new Error('a checkpoint that was just signed does not verify');
    await connection.query('select audit.add_checkpoint($1, $2, $3, $4, $5, $6)', [
      checkpoint.origin,
      checkpoint.size,
      checkpoint.root,
      note,
      catalogue.fingerprint,
      JSON.stringify(catalogue.content),
    ]);
    await rememberCheckpoint(evidence, checkpoint);
    return { checkpoint, signed: true };
  });
}

/** The newest checkpoint that this console has seen; else, on a console that is new, the newest good one that is kept. */
async function lastKnown(
  connection: Connection,
  evidence: Evidence,
  keys: readonly NamedKey[],
  state: LogState,
): Promise<SignedCheckpoint | undefined> {
  const seen = (await seenCheckpoints(evidence, keys)).at(-1);
  if (seen !== undefined && partsOf(seen).log !== state.log) throw rewritten('another log took its place');
  const kept = await connection.query<{ note: string }>(
    'select note from audit.checkpoints order by id desc limit 1',
  );
  const newest = openCheckpoint(kept[0]?.note ?? '', keys);
  const good = newest?.kid === undefined || partsOf(newest).log !== state.log ? undefined : newest;
  if (seen === undefined || partsOf(seen).epoch < state.epoch) return good;
  if (good === undefined || good.size < seen.size) return seen;
  // Another console may have signed what goes on from another history.
  if (good.note !== seen.note) await goOn(connection, seen, state);
  return good;
}

/** The tree as it was at the last checkpoint; with the root that was signed, or an error. */
async function goOn(
  connection: Connection,
  last: SignedCheckpoint | undefined,
  state: LogState,
): Promise<GrowingTree> {
  if (last === undefined) return new GrowingTree();
  if (last.size > state.size) {
    throw new NestctlError(
      `The audit log has ${state.size} sealed events, and ${last.size} had been sealed ${last.madeAt}.`,
      {
        kind: 'conflict',
        code: 'log_cut',
        hint: 'Its end was cut off, or the database was put back to an earlier state. A recovery is recorded: nestctl audit epoch begin.',
        next: 'nestctl audit verify',
      },
    );
  }
  const tree = await treeAt(connection, last.size);
  if (!tree.root().equals(last.root))
    throw rewritten(`the first ${last.size} events are not those that were signed ${last.madeAt}`);
  return tree;
}

function rewritten(how: string): NestctlError {
  return new NestctlError(`The audit log was written anew: ${how}.`, {
    kind: 'conflict',
    code: 'log_rewritten',
    hint: 'Nothing is signed that contradicts what was signed before.',
    next: 'nestctl audit verify',
  });
}

function isDue(last: SignedCheckpoint, state: LogState, catalogue: GuardedCatalogue): boolean {
  return (
    last.size !== state.size ||
    last.origin !== originOf(state.log, state.epoch) ||
    last.catalogue !== catalogue.fingerprint ||
    // One that was made in the future was so by a clock that has been put right since.
    Math.abs(Date.now() - Date.parse(last.madeAt)) > HEARTBEAT
  );
}
