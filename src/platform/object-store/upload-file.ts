import { open } from 'node:fs/promises';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { NestctlError } from '../errors.js';
import { base64 } from './checksum.js';
import type { Client } from './client.js';
import { type Digests, digestFile, readPart } from './digest-file.js';
import { finishUpload } from './finish-upload.js';
import { headObject } from './head-object.js';
import {
  abandonUpload,
  beginUpload,
  completeUpload,
  fewAtOnce,
  partSizeFor,
  partsThere,
  sendPart,
} from './multipart.js';
import type { SendOptions, Sent } from './object.js';
import { putBytes } from './put-object.js';
import { endpointOf } from './settings.js';
import { readState, removeState, type UploadState, writeState } from './upload-state.js';

/**
 * Stores a file and reads it back. Interrupted, even killed, it is gone on with by the next call: `FILE.nestctl-upload`
 * beside the file names the upload, and parts that the store holds and that match the file are not sent again. An
 * identical object that is there already is only verified. Throws `source_changed` where the file changes meanwhile.
 */
export async function uploadFile(
  client: Client,
  Key: string,
  path: string,
  options: SendOptions = {},
): Promise<Sent> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const left = await readState(path);
    const partSize = left?.size === size ? left.part_size : partSizeFor(size);
    const digests = await digestFile(handle, size, partSize, options.signal).catch((error: unknown) => {
      throw client.explain(error, Key);
    });
    const expected = {
      size,
      sha256: digests.sha256,
      parts: digests.parts.map((part) => part.sha256),
    };
    const there = await headObject(client, Key);
    if (there?.sha256 === digests.sha256 && there.size === size) {
      await removeState(path);
      const counts = { parts_sent: 0, parts_found: Math.max(1, digests.parts.length) };
      return await finishUpload(client, Key, there.version ?? undefined, expected, counts, options);
    }
    if (digests.parts.length <= 1) {
      const bytes = await readPart(handle, 0, size);
      return await putBytes(client, Key, bytes, options);
    }

    const { state, found } = await continueOrBegin(client, Key, path, digests, left, options);
    const done: CompletedPart[] = [...found];
    const have = new Set(found.map(({ PartNumber }) => PartNumber));
    const bytesOf = (number: number) => Math.min(partSize, size - (number - 1) * partSize);
    const foundBytes = found.reduce((sum, { PartNumber = 0 }) => sum + bytesOf(PartNumber), 0);
    let sent = foundBytes;
    options.onProgress?.({ sent, found: foundBytes, total: size });
    const missing = digests.parts
      .map((part, at) => ({ ...part, number: at + 1 }))
      .filter((part) => !have.has(part.number));
    await fewAtOnce(missing, async ({ number, sha256 }) => {
      const bytes = await readPart(handle, (number - 1) * partSize, bytesOf(number), sha256);
      done.push(await sendPart(client, Key, state.upload_id, { number, bytes, sha256 }, options.signal));
      sent += bytes.length;
      options.onProgress?.({ sent, found: foundBytes, total: size });
    });
    const version = await complete(client, Key, state, done);
    await removeState(path);
    const counts = { parts_sent: missing.length, parts_found: found.length };
    return await finishUpload(client, Key, version, expected, counts, options);
  } finally {
    await handle.close();
  }
}

/** The upload that an earlier try left, with the parts of it that match the file; else a new one. */
async function continueOrBegin(
  client: Client,
  Key: string,
  path: string,
  digests: Digests,
  left: UploadState | undefined,
  options: SendOptions,
): Promise<{ state: UploadState; found: CompletedPart[] }> {
  const place = { endpoint: endpointOf(client.settings), bucket: client.settings.bucket, key: Key };
  const here = left?.endpoint === place.endpoint && left.bucket === place.bucket && left.key === place.key;
  if (left !== undefined && here && left.sha256 === digests.sha256) {
    const parts = await partsThere(client, Key, left.upload_id);
    if (parts !== undefined) {
      const found = digests.parts.flatMap(({ sha256, md5, size }, at): CompletedPart[] => {
        const part = parts.get(at + 1);
        // A store that gives no SHA-256 names a part after its MD5, unless it encrypts: then it is sent again.
        const same = part?.sha256 === undefined ? part?.etag === md5 : part.sha256 === base64(sha256);
        if (part === undefined || !same || part.size !== size) return [];
        return [{ PartNumber: at + 1, ETag: part.etag, ChecksumSHA256: base64(sha256) }];
      });
      return { state: left, found };
    }
  } else if (left !== undefined && here) await abandonUpload(client, Key, left.upload_id);

  const { size, sha256, partSize } = digests;
  const id = await beginUpload(client, Key, { contentType: options.contentType, sha256 });
  const state = { version: 1 as const, ...place, upload_id: id, part_size: partSize, size, sha256 };
  await writeState(path, state);
  return { state, found: [] };
}

/** Where the answer to an earlier try was lost, the object is there and the upload gone. */
async function complete(
  client: Client,
  Key: string,
  state: UploadState,
  parts: readonly CompletedPart[],
): Promise<string | undefined> {
  try {
    return await completeUpload(client, Key, state.upload_id, parts);
  } catch (error) {
    if (!(error instanceof NestctlError) || error.code !== 'upload_gone') throw error;
    const there = await headObject(client, Key);
    if (there?.sha256 !== state.sha256) throw error;
    return there.version ?? undefined;
  }
}
