import type { Client } from './client.js';

/** The ids of uploads of a key that were begun and are neither completed nor abandoned: their parts lie in the store. */
export async function unfinishedUploads(client: Client, Key: string): Promise<string[]> {
  const { ListMultipartUploadsCommand } = client.sdk;
  const ids: string[] = [];
  let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (next !== undefined) {
    const from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = next;
    const page = await client.run(
      (s3) =>
        s3.send(new ListMultipartUploadsCommand({ Bucket: client.settings.bucket, Prefix: Key, ...from })),
      Key,
    );
    for (const upload of page.Uploads ?? []) {
      if (upload.Key === Key && upload.UploadId !== undefined) ids.push(upload.UploadId);
    }
    next =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : undefined;
  }
  return ids;
}

/** Has the store forget them. One that is gone meanwhile is what was wanted. */
export async function abandonUnfinished(client: Client, Key: string): Promise<void> {
  const { AbortMultipartUploadCommand } = client.sdk;
  for (const UploadId of await unfinishedUploads(client, Key)) {
    await client
      .run(
        (s3) => s3.send(new AbortMultipartUploadCommand({ Bucket: client.settings.bucket, Key, UploadId })),
        Key,
      )
      .catch((error: { readonly code?: string }) => {
        if (error.code !== 'upload_gone') throw error;
      });
  }
}
