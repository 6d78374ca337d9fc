import type { CompletedPart } from '@aws-sdk/client-s3';
import { NestctlError } from '../errors.js';
import { base64 } from './checksum.js';
import type { Client } from './client.js';
import { encryptionHeaders } from './settings.js';

const MEBIBYTE = 1024 * 1024;
/** S3 takes at most 10,000 parts. */
const MOST_PARTS = 10_000;
/** Parts on their way at once; each is held in memory, some of it twice. */
const AT_ONCE = 4;

/** How large the parts of an object are, bytes; 8 MiB unless it needs larger ones. S3 takes none under 5 but the last. */
export function partSizeFor(size: number, least = 8): number {
  return Math.max(least, Math.ceil(size / MOST_PARTS / MEBIBYTE)) * MEBIBYTE;
}

/** Runs `work` on every item, a few at a time. After a failure no new one is begun; the first failure is thrown. */
export async function fewAtOnce<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  atOnce = AT_ONCE,
): Promise<void> {
  const all = (async function* () {
    yield* items;
  })();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    try {
      for await (const item of { [Symbol.asyncIterator]: () => ({ next: () => all.next() }) }) {
        if (failures.length > 0) return;
        await work(item);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) throw failures[0];
}

export interface UploadStart {
  readonly contentType?: string | undefined;
  /** Hex, where the whole is known already. */
  readonly sha256?: string | undefined;
}

/** Begins an upload in parts; returns its id. */
export async function beginUpload(client: Client, Key: string, start: UploadStart): Promise<string> {
  const { UploadId } = await client.run(
    (s3) =>
      s3.send(
        new client.sdk.CreateMultipartUploadCommand({
          Bucket: client.settings.bucket,
          Key,
          ContentType: start.contentType,
          ChecksumAlgorithm: 'SHA256',
          ...encryptionHeaders(client.settings),
          Metadata: start.sha256 === undefined ? undefined : { sha256: start.sha256 },
        }),
      ),
    Key,
  );
  if (UploadId === undefined) throw new Error('the store began an upload without an id');
  return UploadId;
}

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

export async function sendPart(
  client: Client,
  Key: string,
  UploadId: string,
  part: Part,
  signal: AbortSignal | undefined,
): Promise<CompletedPart> {
  const ChecksumSHA256 = base64(part.sha256);
  const { ETag } = await client.run(
    (s3, how) =>
      s3.send(
        new client.sdk.UploadPartCommand({
          Bucket: client.settings.bucket,
          Key,
          UploadId,
          PartNumber: part.number,
          Body: part.bytes,
          ContentLength: part.bytes.length,
          ChecksumSHA256,
        }),
        how,
      ),
    Key,
    signal,
  );
  return { PartNumber: part.number, ETag, ChecksumSHA256 };
}

/** What the store already has of an upload, by number; undefined where it does not know the upload (any more). */
export async function partsThere(
  client: Client,
  Key: string,
  UploadId: string,
): Promise<Map<number, { size: number; etag: string; sha256: string | undefined }> | undefined> {
  const parts = new Map<number, { size: number; etag: string; sha256: string | undefined }>();
  let marker: string | undefined;
  do {
    const page = await client
      .run(
        (s3) =>
          s3.send(
            new client.sdk.ListPartsCommand({
              Bucket: client.settings.bucket,
              Key,
              UploadId,
              PartNumberMarker: marker,
            }),
          ),
        Key,
      )
      .catch((error: unknown) => {
        if (error instanceof NestctlError && error.code === 'upload_gone') return undefined;
        throw error;
      });
    if (page === undefined) return undefined;
    for (const { PartNumber, Size, ETag, ChecksumSHA256 } of page.Parts ?? []) {
      if (PartNumber === undefined) continue;
      const etag = (ETag ?? '').replaceAll('"', '');
      parts.set(PartNumber, { size: Size ?? -1, etag, sha256: ChecksumSHA256 });
    }
    marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return parts;
}

/** Makes the object out of its parts; returns its version. */
export async function completeUpload(
  client: Client,
  Key: string,
  UploadId: string,
  parts: readonly CompletedPart[],
  ifAbsent = false,
): Promise<string | undefined> {
  const Parts = [...parts].sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
  const { VersionId } = await client.run(
    (s3) =>
      s3.send(
        new client.sdk.CompleteMultipartUploadCommand({
          Bucket: client.settings.bucket,
          Key,
          UploadId,
          MultipartUpload: { Parts },
          IfNoneMatch: ifAbsent ? '*' : undefined,
        }),
      ),
    Key,
  );
  return VersionId;
}

/** Has the store forget the parts it holds of an upload that will not be completed. */
export async function abandonUpload(client: Client, Key: string, UploadId: string): Promise<void> {
  const command = new client.sdk.AbortMultipartUploadCommand({
    Bucket: client.settings.bucket,
    Key,
    UploadId,
  });
  await client.s3.send(command).catch(() => undefined);
}
