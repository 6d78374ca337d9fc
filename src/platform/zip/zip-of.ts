import {
  DEFLATED,
  LARGE,
  LARGE_END,
  LARGE_EXTRA,
  LARGE_LOCATOR,
  LISTED,
  LOCAL,
  MANY,
  ZIP_END,
  ZIP_END_SIGNATURE,
} from './format.js';
import type { PackedFile } from './packed-file.js';

const NAMES_IN_UTF8 = 1 << 11;
/** 4.5, which knows ZIP64; before it, 2.0. */
const [VERSION, VERSION_64] = [20, 45];
/** By Unix: what is in the high half of the attributes is a mode. */
const MADE_BY = (3 << 8) | VERSION_64;
/** A file that its owner alone reads and writes. */
const ATTRIBUTES = 0o100600 * 0x1_0000;

/**
 * The bytes of a ZIP file (PKWARE APPNOTE 6.3) of files as they come; each is closed when it has passed. `at`: when they
 * were made. Where `files` ends early, so does this, and what had come is closed.
 */
export async function* zipOf(files: AsyncIterable<PackedFile>, at: Date): AsyncGenerator<Buffer> {
  const listed: Buffer[] = [];
  let offset = 0;
  for await (const file of files) {
    try {
      const header = localHeader(file, at);
      listed.push(centralHeader(file, at, offset));
      yield header;
      yield* file.chunks();
      offset += header.length + file.packed;
    } finally {
      await file.close();
    }
  }
  const directory = Buffer.concat(listed);
  yield directory;
  yield endOf(listed.length, directory.length, offset);
}

function localHeader(file: PackedFile, at: Date): Buffer {
  const name = Buffer.from(file.path);
  // Both or none, as its sizes are.
  const large = file.bytes >= LARGE || file.packed >= LARGE;
  const extra = Buffer.concat([extraTime(at), extra64(large ? [file.bytes, file.packed] : [])]);
  const head = Buffer.alloc(LOCAL.size);
  head.writeUInt32LE(LOCAL.signature, 0);
  writeCommon(head, 4, file, at, large, large);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, name, extra]);
}

function centralHeader(file: PackedFile, at: Date, offset: number): Buffer {
  const name = Buffer.from(file.path);
  const large = file.bytes >= LARGE || file.packed >= LARGE;
  const far = offset >= LARGE;
  const numbers = [...(large ? [file.bytes, file.packed] : []), ...(far ? [offset] : [])];
  const extra = Buffer.concat([extraTime(at), extra64(numbers)]);
  const head = Buffer.alloc(LISTED.size);
  head.writeUInt32LE(LISTED.signature, 0);
  head.writeUInt16LE(MADE_BY, 4);
  writeCommon(head, 6, file, at, large, large || far);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt32LE(ATTRIBUTES, 38);
  head.writeUInt32LE(far ? LARGE : offset, 42);
  return Buffer.concat([head, name, extra]);
}

/** What both headers of a file have, 22 bytes. */
function writeCommon(
  head: Buffer,
  at: number,
  file: PackedFile,
  made: Date,
  large: boolean,
  newer: boolean,
): void {
  const [time, date] = dosTime(made);
  head.writeUInt16LE(newer ? VERSION_64 : VERSION, at);
  head.writeUInt16LE(NAMES_IN_UTF8, at + 2);
  head.writeUInt16LE(DEFLATED, at + 4);
  head.writeUInt16LE(time, at + 6);
  head.writeUInt16LE(date, at + 8);
  head.writeUInt32LE(file.crc32, at + 10);
  head.writeUInt32LE(large ? LARGE : file.packed, at + 14);
  head.writeUInt32LE(large ? LARGE : file.bytes, at + 18);
}

function endOf(files: number, size: number, offset: number): Buffer {
  const large = files >= MANY || size >= LARGE || offset >= LARGE;
  const end = Buffer.alloc(ZIP_END);
  end.writeUInt32LE(ZIP_END_SIGNATURE, 0);
  end.writeUInt16LE(large ? MANY : files, 8);
  end.writeUInt16LE(large ? MANY : files, 10);
  end.writeUInt32LE(large ? LARGE : size, 12);
  end.writeUInt32LE(large ? LARGE : offset, 16);
  if (!large) return end;
  const record = Buffer.alloc(LARGE_END.size);
  record.writeUInt32LE(LARGE_END.signature, 0);
  // Of what follows this.
  record.writeBigUInt64LE(BigInt(LARGE_END.size - 12), 4);
  record.writeUInt16LE(MADE_BY, 12);
  record.writeUInt16LE(VERSION_64, 14);
  for (const [at, number] of [
    [24, files],
    [32, files],
    [40, size],
    [48, offset],
  ] as const)
    record.writeBigUInt64LE(BigInt(number), at);
  const locator = Buffer.alloc(LARGE_LOCATOR.size);
  locator.writeUInt32LE(LARGE_LOCATOR.signature, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end]);
}

/** In UTC: the other says it without a zone. */
function extraTime(at: Date): Buffer {
  const extra = Buffer.alloc(9);
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(5, 2);
  extra.writeUInt8(1, 4);
  extra.writeInt32LE(Math.floor(at.getTime() / 1000), 5);
  return extra;
}

function extra64(numbers: readonly number[]): Buffer {
  if (numbers.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + 8 * numbers.length);
  extra.writeUInt16LE(LARGE_EXTRA, 0);
  extra.writeUInt16LE(8 * numbers.length, 2);
  numbers.forEach((number, n) => {
    extra.writeBigUInt64LE(BigInt(number), 4 + 8 * n);
  });
  return extra;
}

/** Seconds by twos, from 1980 on. */
function dosTime(at: Date): [time: number, date: number] {
  const year = Math.max(1980, at.getUTCFullYear());
  return [
    (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    ((year - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  ];
}
