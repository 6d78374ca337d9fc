import { NestctlError } from '../errors.js';
import type { Client } from './client.js';
import type { SdkError } from './retry.js';

/**
 * Locks a version until a time (Object Lock, compliance mode: nobody can shorten or lift it) and reads the lock
 * back. Throws `lock_missing` where the bucket was made without Object Lock, `lock_shorter` where a longer one is
 * there already.
 */
export async function lockVersion(
  client: Client,
  Key: string,
  version: string | undefined,
  until: Date,
): Promise<Date> {
  const place = { Bucket: client.settings.bucket, Key, VersionId: version };
  const before = await lockedUntil(client, Key, version);
  if (before !== undefined && before >= until) return before;
  await client
    .run(
      (s3) =>
        s3.send(
          new client.sdk.PutObjectRetentionCommand({
            ...place,
            Retention: { Mode: 'COMPLIANCE', RetainUntilDate: until },
          }),
        ),
      Key,
    )
    .catch((error: unknown) => {
      if (!(error instanceof NestctlError) || error.code !== 'store_refused') throw error;
      throw lockMissing(Key, 'The object itself was stored.');
    });
  const after = await lockedUntil(client, Key, version);
  // Servers keep seconds.
  if (after !== undefined && after.getTime() >= until.getTime() - 1_000) return after;
  throw new NestctlError(`${Key} was to be locked until ${until.toISOString()}, but is not.`, {
    kind: 'failure',
    code: 'lock_not_kept',
  });
}

/** Until when a version is locked; undefined where it is not, or where that may not be seen. */
export async function lockedUntil(
  client: Client,
  Key: string,
  version: string | undefined,
): Promise<Date | undefined> {
  const command = new client.sdk.GetObjectRetentionCommand({
    Bucket: client.settings.bucket,
    Key,
    VersionId: version,
  });
  return await client.s3.send(command).then(
    ({ Retention }) => Retention?.RetainUntilDate,
    () => undefined,
  );
}

/** Whether the bucket was made with Object Lock; undefined where that may not be seen. */
export async function takesLocks(client: Client): Promise<boolean | undefined> {
  const command = new client.sdk.GetObjectLockConfigurationCommand({ Bucket: client.settings.bucket });
  return await client.s3.send(command).then(
    ({ ObjectLockConfiguration }) => ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
    (error: SdkError) => (error.name === 'ObjectLockConfigurationNotFoundError' ? false : undefined),
  );
}

/** The error for a bucket that was made without. */
export function lockMissing(what: string, hint: string): NestctlError {
  return new NestctlError(`${what} cannot be locked: the bucket has no Object Lock.`, {
    kind: 'conflict',
    code: 'lock_missing',
    hint: `Object Lock is chosen when a bucket is made. ${hint}`,
  });
}
