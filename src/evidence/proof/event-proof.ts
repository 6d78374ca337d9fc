import { type KeySet, namedKeys } from '../../platform/signing/key-set.js';
import { openCheckpoint } from '../../platform/transparency/checkpoint.js';
import { rootFromPath } from '../../platform/transparency/inclusion.js';
import { type LeafFacts, leafOf, readFacts } from './event-leaf.js';
import { judgeSigner, type Refusal } from './judge-signer.js';

/** The first line of a proof, https://c2sp.org/tlog-proof. */
export const PROOF = 'c2sp.org/tlog-proof@v1';

export interface EventProof {
  readonly facts: LeafFacts;
  /** Of the leaf, from 0. */
  readonly index: number;
  readonly path: readonly Buffer[];
  /** The signed note of the checkpoint. */
  readonly note: string;
}

/** As the file holds it. */
export function formatProof({ facts, index, path, note }: EventProof): string {
  const extra = Buffer.from(JSON.stringify(facts)).toString('base64');
  const hashes = path.map((hash) => `${hash.toString('base64')}\n`).join('');
  return `${PROOF}\nextra ${extra}\nindex ${index}\n${hashes}\n${note}`;
}

const FORM =
  /^c2sp\.org\/tlog-proof@v1\nextra ([A-Za-z0-9+/]+={0,2})\nindex (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,60})\n([\s\S]+)$/;

function parseProof(text: string): EventProof | undefined {
  const [, extra, index, hashes = '', note = ''] = FORM.exec(text) ?? [];
  if (extra === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(extra, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
  const facts = readFacts(value);
  const path = hashes
    .split('\n')
    .slice(0, -1)
    .map((hash) => Buffer.from(hash, 'base64'));
  return facts === undefined ? undefined : { facts, index: Number(index), path, note };
}

/** What is proven: the event, its place, and the head that holds it. */
export interface ProvenEvent {
  readonly facts: LeafFacts;
  readonly index: number;
  readonly size: number;
  readonly origin: string;
  readonly made_at: string;
  readonly kid: string;
}

/** Verifies a proof with public keys alone; or says what is wrong, a sentence without its full stop. */
export function verifyProof(text: string, keySet: KeySet): { readonly proven: ProvenEvent } | Refusal {
  const proof = parseProof(text);
  const checkpoint = openCheckpoint(proof?.note ?? '', namedKeys(keySet));
  if (proof === undefined || checkpoint === undefined)
    return { kind: 'edited', detail: 'it is not a proof of an audit event' };
  const { origin, size, root, madeAt, kid } = checkpoint;
  const signer = judgeSigner(keySet, kid, madeAt, 'its checkpoint');
  if (signer !== undefined || kid === undefined) return signer as Refusal;
  const { facts, index, path } = proof;
  if (rootFromPath(leafOf(facts), index, size, path)?.equals(root) !== true) {
    return {
      kind: 'edited',
      detail: `event ${facts.id}, as it stands there, is not leaf ${index} of the signed tree`,
    };
  }
  return { proven: { facts, index, size, origin, made_at: madeAt, kid } };
}
