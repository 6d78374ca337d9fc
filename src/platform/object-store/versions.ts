import type { Client } from './client.js';

/** A version or delete marker of an object. */
export interface Version {
  /** Without the prefix of the context, where an ObjectStore lists it. */
  readonly key: string;
  readonly id: string;
  readonly marker: boolean;
  /** What a reader who names no version gets. */
  readonly latest: boolean;
  /** When the store took it, by the store's own clock. */
  readonly modified: Date;
  /** What the store names its bytes by; equal for equal bytes sent alike. */
  readonly etag: string;
}

/** All versions and delete markers of the keys that begin so, key by key, of each the newest first. */
export async function* versionsBelow(client: Client, Prefix: string): AsyncGenerator<Version> {
  const { ListObjectVersionsCommand } = client.sdk;
  let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
  while (next !== undefined) {
    const from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = next;
    const page = await client.run(
      (s3) => s3.send(new ListObjectVersionsCommand({ Bucket: client.settings.bucket, Prefix, ...from })),
      Prefix,
    );
    const found = [
      ...(page.Versions ?? []).map((each) => ({ ...each, marker: false })),
      ...(page.DeleteMarkers ?? []).map((each) => ({ ...each, ETag: '', marker: true })),
    ].flatMap(({ Key: key, VersionId: id, LastModified, IsLatest, ETag, marker }): Version[] =>
      key === undefined || id === undefined
        ? []
        : [
            {
              key,
              id,
              marker,
              latest: IsLatest === true,
              modified: LastModified ?? new Date(0),
              etag: ETag ?? '',
            },
          ],
    );
    yield* found.sort((a, b) =>
      a.key < b.key ? -1 : a.key > b.key ? 1 : Number(b.modified) - Number(a.modified),
    );
    next =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : undefined;
  }
}

/** Those of one key. */
export async function versionsOf(client: Client, Key: string): Promise<Version[]> {
  const versions: Version[] = [];
  for await (const version of versionsBelow(client, Key)) {
    // Keys come in order: what follows a longer key is not ours any more.
    if (version.key !== Key) break;
    versions.push(version);
  }
  return versions;
}
