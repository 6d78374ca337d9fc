import { NestctlError } from '../errors.js';
import type { Client } from './client.js';

export interface Link {
  /** Whoever has it can read the object: it is a secret. */
  readonly url: string;
  readonly expires_at: Date;
}

const LONGEST = 7 * 24 * 3_600;

/**
 * A link that reads one object until it expires. Throws `link_too_long` over 7 days, or where temporary credentials
 * end before: a link ends with the credentials that signed it.
 */
export async function presignGet(
  client: Client,
  Key: string,
  options: {
    readonly seconds: number;
    readonly version?: string | undefined;
    readonly saveAs?: string | undefined;
  },
): Promise<Link> {
  const { seconds, saveAs } = options;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST) {
    throw new NestctlError('A link lasts from a second to 7 days.', { kind: 'usage', code: 'link_too_long' });
  }
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const command = new client.sdk.GetObjectCommand({
    Bucket: client.settings.bucket,
    Key,
    VersionId: options.version,
    ResponseContentDisposition:
      saveAs === undefined ? undefined : `attachment; filename="${saveAs.replace(/[^\w.-]/g, '_')}"`,
  });
  const now = new Date();
  const url = await client.run(
    (s3) => getSignedUrl(s3, command, { expiresIn: seconds, signingDate: now }),
    Key,
  );
  const expires = new Date(Math.floor(now.getTime() / 1_000) * 1_000 + seconds * 1_000);
  const end = client.credentialsEnd();
  if (end === undefined || end >= expires) return { url, expires_at: expires };
  throw new NestctlError(`The credentials end at ${end.toISOString()}, before the link would.`, {
    kind: 'conflict',
    code: 'link_too_long',
    hint: 'Make it shorter, or use credentials that last longer.',
  });
}
