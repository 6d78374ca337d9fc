import { join } from 'node:path';
import { dataFolder } from '../data-folder.js';
import type { KeySource } from '../signing/signing-key.js';
import type { Context } from './contexts.js';
import { contextFilePath, resolveBeside } from './paths.js';

/** Where keys and evidence of a context are. */
export interface EvidencePlaces {
  readonly key: KeySource;
  /** Folder of this console's own: keys, what it has seen and carried, and its lock. */
  readonly trust: string;
  readonly keySet: string;
  /** Keys of others that are trusted. */
  readonly imported: string;
  readonly ledgerKeys: string;
  readonly seen: string;
  /** The checkpoints of the audit log that this console has seen. */
  readonly checkpoints: string;
  /** What was carried to the object store, and to which. */
  readonly carried: string;
  /** Folder of the records. */
  readonly records: string;
}

export function evidencePlaces({ name, signing_key: signing, evidence }: Context): EvidencePlaces {
  const own = join(dataFolder(), 'contexts', name);
  const trust = join(own, 'signing');
  const beside = (path: string) => resolveBeside(contextFilePath(), path);
  return {
    key:
      signing?.command !== undefined
        ? { command: signing.command }
        : { file: signing?.file === undefined ? join(trust, 'key.pem') : beside(signing.file) },
    trust,
    // Apart from the records: whoever can alter those must not be able to say which keys are trusted.
    keySet: join(trust, 'keys.json'),
    imported: join(trust, 'imported-keys.json'),
    ledgerKeys: join(trust, 'ledger-keys.json'),
    seen: join(trust, 'seen.json'),
    checkpoints: join(trust, 'audit-checkpoints.json'),
    carried: join(trust, 'carried.json'),
    records: evidence?.folder === undefined ? join(own, 'evidence') : beside(evidence.folder),
  };
}
