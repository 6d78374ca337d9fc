import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { type Evidence, sealPackage } from '../../src/evidence/index.js';
import { sealZip } from '../../src/privacy/export/sealed-zip.js';

export interface SealedFile {
  readonly path: string;
  readonly chunks: () => Iterable<Buffer>;
}

interface Listed {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface SealedWish {
  /** What the manifest says of the files, and which bytes it is. */
  readonly manifest?: (listed: readonly Listed[]) => object | string;
  /** Of the manifest, as it is signed for. */
  readonly manifestSha256?: string;
  /** How many files are signed for. */
  readonly count?: number;
  /** With the fields for what is too large for 32 bits, whatever the size. */
  readonly zip64?: boolean;
}

/** Signs a package of any files as packages are signed, with whatever manifest. */
export async function sealedPackage(
  evidence: Evidence,
  path: string,
  files: readonly SealedFile[],
  { manifest = (listed) => ({ files: listed }), manifestSha256, count, zip64 = false }: SealedWish = {},
): Promise<void> {
  const listed = files.map(({ path: name, chunks }) => {
    const digest = createHash('sha256');
    let bytes = 0;
    for (const chunk of chunks()) {
      digest.update(chunk);
      bytes += chunk.length;
    }
    return { path: name, sha256: digest.digest('hex'), bytes };
  });
  const said = manifest(listed);
  const text = Buffer.from(typeof said === 'string' ? said : JSON.stringify(said));
  const options = { mtime: new Date('2026-11-29T12:00:00Z'), forceZip64Format: zip64 };
  const zip = new ZipFile();
  for (const { path: name, chunks } of files)
    zip.addReadStreamLazy(name, options, (begin) => begin(null, Readable.from(chunks())));
  zip.addReadStreamLazy('manifest.json', options, (begin) => begin(null, Readable.from([text])));
  zip.end({ forceZip64Format: zip64 });
  const seal = sealZip(async ({ sha256, bytes }) => {
    const kept = await sealPackage(evidence, {
      ...{ request: 'REQ-2026-0001', sha256, bytes, rows: 7, severances: 0 },
      manifest_sha256: manifestSha256 ?? createHash('sha256').update(text).digest('hex'),
      files: count ?? files.length + 1,
    });
    return kept.bytes;
  });
  await pipeline(zip.outputStream as Readable, seal, createWriteStream(path, { mode: 0o600 }));
}

/** A file of these bytes. */
export const fileOf = (path: string, content: string | Buffer): SealedFile => ({
  path,
  chunks: () => [Buffer.from(content)],
});
