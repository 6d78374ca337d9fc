import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestctlError } from '../errors.js';
import type { Client } from './client.js';
import { isPassing, type SdkError, waitBefore } from './retry.js';

export interface ReadOptions {
  readonly version?: string | undefined;
  /** First and last byte, counted from 0; all of it when absent. */
  readonly range?: { readonly from: number; readonly to?: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of an object. A connection that is lost midway is taken up again at the byte where it was lost, in the
 * same version of the object. Throws `object_unknown`, `object_changed`.
 */
export async function* readObject(client: Client, Key: string, options: ReadOptions): AsyncGenerator<Buffer> {
  const { GetObjectCommand } = client.sdk;
  const { from = 0, to } = options.range ?? {};
  let at = from;
  let etag: string | undefined;
  let version = options.version;
  let failures = 0;
  for (;;) {
    const ranged = at > 0 || to !== undefined;
    const answer = await client
      .run(
        (s3, how) =>
          s3.send(
            new GetObjectCommand({
              Bucket: client.settings.bucket,
              Key,
              VersionId: version,
              IfMatch: etag,
              Range: ranged ? `bytes=${at}-${to ?? ''}` : undefined,
            }),
            how,
          ),
        Key,
        options.signal,
      )
      .catch((error: unknown) => {
        if (etag === undefined || !(error instanceof NestctlError) || error.code !== 'object_exists')
          throw error;
        throw new NestctlError(`${Key} was replaced while it was read.`, {
          kind: 'conflict',
          code: 'object_changed',
        });
      });
    etag ??= answer.ETag;
    version ??= answer.VersionId;
    const end = at + (answer.ContentLength ?? 0);
    try {
      for await (const chunk of answer.Body as Readable) {
        at += (chunk as Buffer).length;
        failures = 0;
        yield chunk as Buffer;
      }
      if (at >= end) return;
    } catch (error) {
      if (!isPassing(error as SdkError)) throw client.explain(error, Key);
      if (failures + 1 >= client.timings.attempts) throw client.explain(error, Key);
    }
    // The whole range may have arrived before the connection broke.
    if (at >= end) return;
    failures += 1;
    const { signal } = options;
    await sleep(waitBefore(failures, client.timings), undefined, signal && { signal }).catch(
      (error: unknown) => {
        throw client.explain(error, Key);
      },
    );
  }
}
