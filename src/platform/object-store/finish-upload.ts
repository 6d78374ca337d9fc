import type { Client } from './client.js';
import type { SendOptions, Sent } from './object.js';
import { lockVersion } from './retention.js';
import { type Expected, verifyObject } from './verify-object.js';

/**
 * The last steps of everything sent: read back, then locked, so that a damaged copy is never locked in. A damaged
 * one that was sent just now is removed.
 */
export async function finishUpload(
  client: Client,
  Key: string,
  version: string | undefined,
  expected: Expected,
  counts: Pick<Sent, 'parts_sent' | 'parts_found'>,
  { retainUntil, signal }: SendOptions,
): Promise<Sent> {
  const verifiedBy = await verifyObject(client, Key, version, expected, signal).catch(async (error) => {
    if (error?.code === 'checksum_mismatch' && counts.parts_sent > 0) await remove(client, Key, version);
    throw error;
  });
  const until = retainUntil === undefined ? null : await lockVersion(client, Key, version, retainUntil);
  return {
    key: Key,
    version: version ?? null,
    size: expected.size,
    sha256: expected.sha256,
    verified_by: verifiedBy,
    retain_until: until,
    ...counts,
  };
}

async function remove(client: Client, Key: string, VersionId: string | undefined): Promise<void> {
  const command = new client.sdk.DeleteObjectCommand({ Bucket: client.settings.bucket, Key, VersionId });
  await client.s3.send(command).catch(() => undefined);
}
