import type { KeyObject } from 'node:crypto';
import type { NamedKey } from '../signing/dsse.js';
import { isInstant } from '../signing/key-set.js';
import { openNote, signNote } from './signed-note.js';

/** The signed head of the audit log's tree, https://c2sp.org/tlog-checkpoint; see sql/docs/audit-seal.md. */
export interface Checkpoint {
  /** `nestsync-audit/LOG/EPOCH` */
  readonly origin: string;
  /** Leaves. */
  readonly size: number;
  readonly root: Buffer;
  /** Root of the tree over the families of the log, see sql/docs/audit-bundle.md. */
  readonly families: Buffer;
  /** SHA-256 over triggers, functions and grants of the log, hex. */
  readonly catalogue: string;
  /** Since this epoch every event of a transaction below `watermark` has a leaf. */
  readonly firstEpoch: number;
  readonly watermark: bigint;
  /** By the clock of who signed, RFC 3339 in UTC. */
  readonly madeAt: string;
}

/** As it is signed and kept. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string;
  /** Of the key that signed it; undefined where none of those that were asked for did. */
  readonly kid: string | undefined;
}

const ORIGIN = /^nestsync-audit\/([0-9a-f-]{36})\/([1-9][0-9]*)$/;

export const originOf = (log: string, epoch: number): string => `nestsync-audit/${log}/${epoch}`;

/** Log and epoch that an origin names. */
export function partsOf({ origin }: Checkpoint): { readonly log: string; readonly epoch: number } {
  const [, log = '', epoch] = ORIGIN.exec(origin) ?? [];
  return { log, epoch: Number(epoch) };
}

export function signCheckpoint(checkpoint: Checkpoint, { key }: { readonly key: KeyObject }): string {
  const { origin, size, root, families, catalogue, firstEpoch, watermark, madeAt } = checkpoint;
  const lines = [
    origin,
    size,
    root.toString('base64'),
    `families ${families.toString('base64')}`,
    `catalogue ${catalogue}`,
    `watermark ${firstEpoch} ${watermark}`,
    `time ${madeAt}`,
  ];
  return signNote(`${lines.join('\n')}\n`, origin, key);
}

const TEXT =
  /^(nestsync-audit\/[0-9a-f-]{36}\/[1-9][0-9]*)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\nfamilies ([A-Za-z0-9+/]{43}=)\ncatalogue ([0-9a-f]{64})\nwatermark ([1-9][0-9]{0,8}) ([0-9]{1,20})\ntime (\S+)\n$/;

/** Reads a checkpoint, signed by one of these keys or by none; undefined where it is no checkpoint of an audit log. */
export function openCheckpoint(note: string, keys: readonly NamedKey[]): SignedCheckpoint | undefined {
  const opened = openNote(note, keys);
  const match = TEXT.exec(opened?.text ?? '');
  if (opened === undefined || match === null) return undefined;
  const [, origin = '', size, root = '', families = '', catalogue = '', firstEpoch, watermark = '', madeAt] =
    match;
  if (!isInstant(madeAt)) return undefined;
  return {
    origin,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    families: Buffer.from(families, 'base64'),
    catalogue,
    firstEpoch: Number(firstEpoch),
    watermark: BigInt(watermark),
    madeAt,
    note,
    kid: opened.kid,
  };
}
