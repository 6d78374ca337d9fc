import { NestctlError } from '../errors.js';
import type { Client } from './client.js';
import type { StoredObject } from './object.js';

/** The facts of an object, under its whole key; undefined where there is none. */
export async function headObject(
  client: Client,
  Key: string,
  version?: string,
): Promise<StoredObject | undefined> {
  const { HeadObjectCommand } = client.sdk;
  const facts = await client
    .run(
      (s3) => s3.send(new HeadObjectCommand({ Bucket: client.settings.bucket, Key, VersionId: version })),
      Key,
    )
    .catch((error: unknown) => {
      if (error instanceof NestctlError && error.code === 'object_unknown') return undefined;
      throw error;
    });
  if (facts === undefined) return undefined;
  return {
    key: Key,
    version: facts.VersionId ?? null,
    size: facts.ContentLength ?? 0,
    sha256: facts.Metadata?.sha256 ?? null,
    modified: facts.LastModified ?? new Date(0),
    encryption: facts.ServerSideEncryption ?? null,
    retain_until: facts.ObjectLockRetainUntilDate ?? null,
  };
}
