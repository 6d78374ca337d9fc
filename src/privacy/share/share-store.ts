import { createHash } from 'node:crypto';
import type { Context } from '../../platform/config/contexts.js';
import { exportStoreSettings, residencyPolicy } from '../../platform/config/services.js';
import { NestctlError } from '../../platform/errors.js';
import {
  describeStore,
  endpointOf,
  type ObjectStore,
  openObjectStore,
  type Timings,
} from '../../platform/object-store/index.js';

/** Where the packages of a context are shared from. */
export interface ShareStore {
  readonly store: ObjectStore;
  /** The bucket, for people. */
  readonly place: string;
  /** Where the object of a share lies, and by what it is known again: the hash of endpoint, bucket and name. */
  objectOf(share: string): { readonly key: string; readonly sha256: string };
}

/** Work with the store. Throws `no_object_store` where the context names none, and what `openObjectStore` does. */
export async function withShareStore<T>(
  context: Context,
  work: (store: ShareStore) => Promise<T>,
  timings?: Timings,
): Promise<T> {
  const settings = exportStoreSettings(context);
  if (settings === undefined) {
    throw new NestctlError(`The context "${context.name}" names no object store.`, {
      kind: 'conflict',
      code: 'no_object_store',
      hint: `Packages are shared from a bucket without Object Lock: add [contexts.${context.name}.export_store] to the context file.`,
      next: `nestctl context show ${context.name}`,
    });
  }
  const store = await openObjectStore(settings, residencyPolicy(context), timings);
  try {
    return await work({
      store,
      place: describeStore(settings),
      objectOf: (share) => {
        // A name of its own for each share: what is shared later never revives a link that was revoked.
        const key = `exports/${context.name}/${share}.zip`;
        const whole = `${endpointOf(settings)}/${settings.bucket}/${settings.prefix}${key}`;
        return { key, sha256: createHash('sha256').update(whole).digest('hex') };
      },
    });
  } finally {
    store.close();
  }
}

/** Throws `bucket_locks` where what is shared could not be revoked, `bucket_locks_unknown` where that may not be seen. */
export async function requireNoLocks({ store, place }: ShareStore, context: Context): Promise<void> {
  const locks = await store.takesLocks();
  if (locks === false) return;
  if (locks === undefined) {
    throw new NestctlError(
      `Whether the bucket ${place} has Object Lock cannot be found out. Nothing was sent.`,
      {
        kind: 'not_allowed',
        code: 'bucket_locks_unknown',
        hint: 'The credentials lack s3:GetBucketObjectLockConfiguration, or the store failed.',
      },
    );
  }
  throw new NestctlError(
    `The bucket ${place} has Object Lock: a package shared from there could not be revoked. Nothing was sent.`,
    {
      kind: 'conflict',
      code: 'bucket_locks',
      hint: `Name a bucket made without it in [contexts.${context.name}.export_store].`,
      next: `nestctl context show ${context.name}`,
    },
  );
}
