import { type BundleHeader, familyKey } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { openCheckpoint, partsOf, type SignedCheckpoint } from '../../platform/transparency/checkpoint.js';
import { type Chain, NO_LINK } from '../../platform/transparency/keyed-path.js';
import { familyTree, readFamilyChains } from '../seal/family-chains.js';
import { readLogState } from '../seal/log-state.js';

export interface ProvenFamily {
  readonly checkpoint: SignedCheckpoint & { readonly log: string };
  readonly walk: BundleHeader['walk'];
  /** Of the family; of one that the log has nothing of an empty one. */
  readonly chain: Chain;
}

/**
 * The newest head of the log and the way from it to a family, in the snapshot at hand; undefined where no known key has
 * signed the log as it stands there.
 */
export async function proveFamily(
  session: Session,
  keys: readonly NamedKey[],
  family: string,
): Promise<ProvenFamily | undefined> {
  const { log, size } = await readLogState(session);
  const tree = familyTree(await readFamilyChains(session));
  const root = tree.root();
  const notes = await session.query<{ note: string }>(
    'select note from audit.checkpoints where size = $1 order by id desc limit 20',
    [size],
  );
  const checkpoint = notes
    .map(({ note }) => openCheckpoint(note, keys))
    .find((one) => one?.kid !== undefined && partsOf(one).log === log && one.families.equals(root));
  if (checkpoint === undefined) return undefined;
  const key = familyKey(family);
  const walk = tree.walk(key) ?? null;
  const chain = walk?.leaf.key.equals(key) === true ? walk.leaf : { count: 0, head: NO_LINK };
  return { checkpoint: { ...checkpoint, log }, walk, chain };
}
