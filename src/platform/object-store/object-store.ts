import { Readable } from 'node:stream';
import { NestctlError } from '../errors.js';
import type { ResidencyPolicy } from '../residency-policy.js';
import { bucketRegion, requireRegion } from './bucket-region.js';
import { type Client, makeClient, TIMINGS, type Timings } from './client.js';
import { headObject } from './head-object.js';
import type { SendOptions, Sent, StoredObject } from './object.js';
import { type Link, presignGet } from './presign.js';
import { type PutOptions, putObject } from './put-object.js';
import { type ReadOptions, readObject } from './read-object.js';
import { removeAllVersions, removeVersion } from './remove-versions.js';
import { lockVersion, takesLocks } from './retention.js';
import type { StoreSettings } from './settings.js';
import { abandonUnfinished, unfinishedUploads } from './unfinished-uploads.js';
import { uploadFile } from './upload-file.js';
import { verifyObject } from './verify-object.js';
import { type Version, versionsBelow } from './versions.js';

/**
 * Opens the store of a context. Its bucket is looked up first and refused outside the residency policy, so that
 * whoever holds an ObjectStore holds one that data may go to. Throws what `requireRegion` does.
 */
export async function openObjectStore(
  settings: StoreSettings,
  policy: ResidencyPolicy,
  timings: Timings = TIMINGS,
): Promise<ObjectStore> {
  const client = await makeClient(settings, timings);
  try {
    return new ObjectStore(client, await requireRegion(client, policy));
  } catch (error) {
    client.s3.destroy();
    throw error;
  }
}

/** Where the bucket lies, whether data may go there or not; undefined where the store does not tell. */
export async function findBucketRegion(
  settings: StoreSettings,
  timings: Timings = TIMINGS,
): Promise<string | undefined> {
  const client = await makeClient(settings, timings);
  try {
    return await bucketRegion(client);
  } finally {
    client.s3.destroy();
  }
}

/**
 * One bucket below one prefix. Keys are given and returned without the prefix. Every error is a NestctlError
 * without secrets. Requests that fail in passing are repeated with growing waits.
 */
export class ObjectStore {
  readonly #client: Client;
  /** Where the bucket lies, as the server said. */
  readonly region: string;

  constructor(client: Client, region: string) {
    this.#client = client;
    this.region = region;
  }

  /** Stores bytes or a stream and reads them back. Throws `checksum_mismatch`, `object_exists`. */
  async put(
    key: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<Sent> {
    return this.#named(await putObject(this.#client, this.#key(key), source, options));
  }

  /** Stores a file; an interrupted one is gone on with. See `uploadFile`. */
  async upload(key: string, path: string, options: SendOptions = {}): Promise<Sent> {
    return this.#named(await uploadFile(this.#client, this.#key(key), path, options));
  }

  /** The bytes of an object, taken up again where a connection is lost. */
  get(key: string, options: ReadOptions = {}): Readable {
    return Readable.from(readObject(this.#client, this.#key(key), options), { objectMode: false });
  }

  /** Undefined where there is no such object. */
  async head(key: string, version?: string): Promise<StoredObject | undefined> {
    const found = await headObject(this.#client, this.#key(key), version);
    return found === undefined ? undefined : this.#named(found);
  }

  /** Reads an object again and compares it with what it should be. Throws `checksum_mismatch`. */
  async verify(key: string, expected: { size: number; sha256: string }, version?: string): Promise<void> {
    await verifyObject(this.#client, this.#key(key), version, expected);
  }

  /** The current objects whose keys begin so, in the order of their keys. */
  async *list(prefix = ''): AsyncGenerator<Pick<StoredObject, 'key' | 'size' | 'modified'>> {
    const { sdk, settings } = this.#client;
    const Prefix = settings.prefix + prefix;
    let token: string | undefined;
    do {
      const after = token;
      const page = await this.#client.run((s3) =>
        s3.send(new sdk.ListObjectsV2Command({ Bucket: settings.bucket, Prefix, ContinuationToken: after })),
      );
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue;
        yield this.#named({ key: Key, size: Size ?? 0, modified: LastModified ?? new Date(0) });
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** All versions and delete markers of the objects whose keys begin so, key by key, of each the newest first. */
  async *versions(prefix = ''): AsyncGenerator<Version> {
    for await (const version of versionsBelow(this.#client, this.#client.settings.prefix + prefix)) {
      yield this.#named(version);
    }
  }

  /** Whether the bucket was made with Object Lock; undefined where that may not be seen. */
  async takesLocks(): Promise<boolean | undefined> {
    return await takesLocks(this.#client);
  }

  /** Deletes one version for good. Throws `object_locked`. */
  async removeVersion(key: string, version: string): Promise<void> {
    await removeVersion(this.#client, this.#key(key), version);
  }

  /** How many uploads of an object were begun and are neither completed nor abandoned. */
  async unfinished(key: string): Promise<number> {
    return (await unfinishedUploads(this.#client, this.#key(key))).length;
  }

  /** Has the store forget the parts of all uploads of an object that were not completed. */
  async abandonUnfinished(key: string): Promise<void> {
    await abandonUnfinished(this.#client, this.#key(key));
  }

  /** Deletes every version of an object and looks that none is left; returns how many there were. */
  async removeAll(key: string): Promise<number> {
    return await removeAllVersions(this.#client, this.#key(key));
  }

  /** Locks a version until a time; returns until when it is locked. Throws `lock_missing`. */
  async retain(key: string, until: Date, version?: string): Promise<Date> {
    return await lockVersion(this.#client, this.#key(key), version, until);
  }

  /** A link that reads an object, for at most 7 days. */
  async link(
    key: string,
    options: { readonly seconds: number; readonly version?: string; readonly saveAs?: string },
  ): Promise<Link> {
    return await presignGet(this.#client, this.#key(key), options);
  }

  /** Lets go of its connections. */
  close(): void {
    this.#client.s3.destroy();
  }

  #key(key: string): string {
    const whole = this.#client.settings.prefix + key;
    if (key !== '' && !key.startsWith('/') && Buffer.byteLength(whole) <= 1024 && !/\p{Cc}/u.test(key)) {
      return whole;
    }
    throw new NestctlError('That is no key for an object.', {
      kind: 'usage',
      code: 'invalid_key',
      hint: 'Up to 1024 bytes, without a slash in front and without control characters.',
    });
  }

  #named<T extends { readonly key: string }>(object: T): T {
    return { ...object, key: object.key.slice(this.#client.settings.prefix.length) };
  }
}
