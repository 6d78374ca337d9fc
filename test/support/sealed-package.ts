import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { crc32, deflateRawSync } from 'node:zlib';
import { type Evidence, sealPackage } from '../../src/evidence/index.js';
import type { PackedFile } from '../../src/platform/zip/packed-file.js';
import { zipOf } from '../../src/platform/zip/zip-of.js';
import { sealZip } from '../../src/privacy/export/sealed-zip.js';

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
  files: readonly PackedFile[],
  { manifest = (listed) => ({ files: listed }), manifestSha256, count, zip64 = false }: SealedWish = {},
): Promise<void> {
  const said = manifest(files.map(({ path: name, sha256, bytes }) => ({ path: name, sha256, bytes })));
  const last = fileOf('manifest.json', typeof said === 'string' ? said : JSON.stringify(said));
  const seal = sealZip(async ({ sha256, bytes }) => {
    const kept = await sealPackage(evidence, {
      ...{ request: 'REQ-2026-0001', sha256, bytes, rows: 7, severances: 0 },
      ...{ manifest_sha256: manifestSha256 ?? last.sha256, files: count ?? files.length + 1 },
    });
    return kept.bytes;
  });
  const zip = Readable.from(zipOf(each([...files, last]), new Date('2026-11-29T12:00:00Z')));
  const source = zip64 ? Readable.from([largely(await buffer(zip))]) : zip;
  await pipeline(source, seal, createWriteStream(path, { mode: 0o600 }));
}

/** A file of these bytes. */
export function fileOf(path: string, content: string | Buffer): PackedFile {
  const bytes = Buffer.from(content);
  const packed = deflateRawSync(bytes);
  return {
    ...{ path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length },
    ...{ crc32: crc32(bytes), packed: packed.length, close: async () => undefined },
    chunks: () => each([packed]),
  };
}

/** A file of one block again and again, deflated to no less than it is. */
export function fileOfBlocks(path: string, block: Buffer, times: number): PackedFile {
  const digest = createHash('sha256');
  for (let at = 0; at < times; at += 1) digest.update(block);
  const stored = (final: boolean) => {
    const head = Buffer.from([final ? 1 : 0, 0, 0, 0, 0]);
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(block.length ^ 0xffff, 3);
    return Buffer.concat([head, block]);
  };
  const [more, last] = [stored(false), stored(true)];
  return {
    ...{ path, sha256: digest.digest('hex'), bytes: times * block.length, crc32: 0 },
    ...{ packed: times * more.length, close: async () => undefined },
    async *chunks() {
      for (let at = 0; at < times; at += 1) yield at === times - 1 ? last : more;
    },
  };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The same ZIP file with every number of its directory in the fields of ZIP64. */
function largely(zip: Buffer): Buffer {
  const end = Buffer.from(zip.subarray(-22));
  const [count, start] = [end.readUInt16LE(10), end.readUInt32LE(16)];
  const entries: Buffer[] = [];
  for (let at = start; at < zip.length - 22; ) {
    const head = Buffer.from(zip.subarray(at, at + 46));
    const [name, more] = [head.readUInt16LE(28), head.readUInt16LE(30)];
    const extra = Buffer.alloc(28);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    [24, 20, 42].forEach((field, n) => {
      extra.writeBigUInt64LE(BigInt(head.readUInt32LE(field)), 4 + 8 * n);
      head.writeUInt32LE(0xffff_ffff, field);
    });
    head.writeUInt16LE(more + extra.length, 30);
    const rest = zip.subarray(at + 46, at + 46 + name + more);
    entries.push(head, rest.subarray(0, name), rest.subarray(name), extra);
    at += 46 + name + more;
  }
  const directory = Buffer.concat(entries);
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  for (const [at, number] of [
    [4, 44],
    [24, count],
    [32, count],
    [40, directory.length],
    [48, start],
  ] as const)
    record.writeBigUInt64LE(BigInt(number), at);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + directory.length), 8);
  end.fill(0xff, 8, 20);
  return Buffer.concat([zip.subarray(0, start), directory, record, locator, end]);
}
