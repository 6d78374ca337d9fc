import type { Carrier, Evidence } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import type { NamedKey } from '../../platform/signing/dsse.js';
import { readLogState } from '../seal/log-state.js';
import { type Facts, isSignedFor, signOnce } from '../signed-facts.js';
import { type ArchiveObject, storeOnce } from './archive-objects.js';
import type { Archive } from './archives.js';
import type { Leaves } from './leaf-records.js';
import { nameOf } from './month.js';

export interface Copied {
  readonly events: number;
  readonly leaves: Leaves;
  readonly objects: readonly ArchiveObject[];
  readonly folder: string;
  readonly until: Date;
}

/** Stores the manifest, signs for it, and records the archive: a record that a try before had signed is taken. */
export async function signArchive(
  session: Session,
  { store, place }: Carrier,
  evidence: Evidence,
  archive: Archive,
  { events, leaves, objects, folder, until }: Copied,
): Promise<void> {
  const { log } = await readLogState(session);
  const { id, month, tree_size } = archive;
  const { note } = await session.one<{ note: string }>(
    'select note from audit.checkpoints where size = $1 order by id limit 1',
    [tree_size],
  );
  const facts = factsOf(log, {
    ...archive,
    events,
    first_leaf: leaves.first,
    last_leaf: leaves.last,
    leaves: leaves.sha256,
  });
  const locked = objects.filter(({ kind }) => kind !== 'personal');
  const manifest = {
    format: 'nestsync-archive-1',
    ...facts,
    checkpoint: note,
    objects: locked.map(({ version: _, key, ...object }) => ({ key: key.slice(folder.length), ...object })),
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
  const stored = await storeOnce(store, `${folder}manifest.json`, bytes, 'application/json', until);
  const envelope = await signOnce(evidence, {
    type: ARCHIVE_RECORD,
    subject: [{ name: `archive of ${nameOf(month)} of the audit log`, sha256: stored.sha256 }],
    content: { ...facts, manifest: stored.sha256, place },
  });
  const more = { kind: 'manifest', number: 0, events: 0, first_at: null, last_at: null } as const;
  await session.query('select audit.record_archive($1, $2, $3, $4)', [
    id,
    JSON.stringify({ ...facts, manifest: stored.sha256 }),
    JSON.stringify([...objects, { ...more, ...stored }]),
    envelope,
  ]);
}

const ARCHIVE_RECORD = 'audit-archive';

/** What is signed of an archive, and written in its manifest. */
function factsOf(log: string, { id, month, ...archive }: Archive) {
  return {
    log,
    archive: id,
    category: month.category,
    month: month.month.slice(0, 7),
    tree_from: archive.tree_from,
    tree_size: archive.tree_size,
    events: archive.events ?? -1,
    first_leaf: archive.first_leaf ?? -1,
    last_leaf: archive.last_leaf ?? -1,
    leaves: archive.leaves ?? '',
  } satisfies Facts;
}

/** Whether a known key has signed that the archive is what the database says of it. */
export function isSigned(archive: Archive, log: string, keys: readonly NamedKey[]): boolean {
  const facts = { ...factsOf(log, archive), manifest: archive.manifest ?? '' };
  return isSignedFor(archive.record, keys, ARCHIVE_RECORD, facts);
}
