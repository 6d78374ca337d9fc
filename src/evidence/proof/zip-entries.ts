import type { FileHandle } from 'node:fs/promises';
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
} from '../../platform/zip/format.js';

/** A file in a ZIP file: where its bytes lie, deflated or as they are. */
export interface ZipEntry {
  readonly path: string;
  readonly deflated: boolean;
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
}

/** A package has a few files for each table. */
const LONGEST_DIRECTORY = 16 * 1024 * 1024;

/** It is no ZIP file that a package could be. */
export class BrokenZip extends Error {
  override readonly name = 'BrokenZip';
}

/**
 * The files of a ZIP file whose comment is `comment` bytes long, as its directory has them (APPNOTE 6.3 with ZIP64); at
 * each the file itself begins with the same name. Throws `BrokenZip`, also for what is encrypted or packed otherwise.
 */
export async function zipEntries(file: FileHandle, size: number, comment: number): Promise<ZipEntry[]> {
  const end = await read(file, size - comment - ZIP_END, ZIP_END);
  if (end.readUInt32LE(0) !== ZIP_END_SIGNATURE) throw new BrokenZip('its end is not there');
  const { count, bytes, at } = await directory(file, end, size - comment - ZIP_END);
  if (bytes > LONGEST_DIRECTORY) throw new BrokenZip('its directory is too long');
  const list = await read(file, at, bytes);
  const entries: ZipEntry[] = [];
  let place = 0;
  while (place < list.length) {
    const { entry, length } = entryAt(list, place);
    entries.push(await located(file, entry));
    place += length;
  }
  if (entries.length !== count) throw new BrokenZip('its directory does not have as many files as it says');
  return entries;
}

async function directory(file: FileHandle, end: Buffer, endAt: number) {
  const plain = { count: end.readUInt16LE(10), bytes: end.readUInt32LE(12), at: end.readUInt32LE(16) };
  if (plain.count !== MANY && plain.bytes !== LARGE && plain.at !== LARGE) return plain;
  const locator = await read(file, endAt - LARGE_LOCATOR.size, LARGE_LOCATOR.size);
  if (locator.readUInt32LE(0) !== LARGE_LOCATOR.signature) throw new BrokenZip('its directory is not there');
  const large = await read(file, Number(locator.readBigUInt64LE(8)), LARGE_END.size);
  if (large.readUInt32LE(0) !== LARGE_END.signature) throw new BrokenZip('its directory is not there');
  return {
    count: Number(large.readBigUInt64LE(32)),
    bytes: Number(large.readBigUInt64LE(40)),
    at: Number(large.readBigUInt64LE(48)),
  };
}

interface Listed {
  readonly path: string;
  readonly method: number;
  readonly packed: number;
  readonly at: number;
}

function entryAt(list: Buffer, place: number): { entry: Listed; length: number } {
  const head = list.subarray(place, place + LISTED.size);
  if (head.length < LISTED.size || head.readUInt32LE(0) !== LISTED.signature)
    throw new BrokenZip('its directory is no list of files');
  const [name, extra, comment] = [28, 30, 32].map((field) => head.readUInt16LE(field)) as [
    number,
    number,
    number,
  ];
  const rest = list.subarray(place + LISTED.size, place + LISTED.size + name + extra);
  const path = rest.toString('utf8', 0, name);
  if ((head.readUInt16LE(8) & 1) === 1) throw new BrokenZip(`${path} is encrypted`);
  const sizes = { unpacked: head.readUInt32LE(24), packed: head.readUInt32LE(20), at: head.readUInt32LE(42) };
  return {
    entry: { path, method: head.readUInt16LE(10), ...largeSizes(rest.subarray(name), sizes) },
    length: LISTED.size + name + extra + comment,
  };
}

/** What does not fit 32 bits stands in the field of ZIP64, in this order. */
function largeSizes(extra: Buffer, sizes: { unpacked: number; packed: number; at: number }) {
  const found = { packed: sizes.packed, at: sizes.at };
  for (let place = 0; place + 4 <= extra.length; place += 4 + extra.readUInt16LE(place + 2)) {
    if (extra.readUInt16LE(place) !== LARGE_EXTRA) continue;
    let value = place + 4 + (sizes.unpacked === LARGE ? 8 : 0);
    for (const name of ['packed', 'at'] as const) {
      if (sizes[name] !== LARGE) continue;
      found[name] = Number(extra.readBigUInt64LE(value));
      value += 8;
    }
  }
  return found;
}

async function located(file: FileHandle, { path, method, packed, at }: Listed): Promise<ZipEntry> {
  const head = await read(file, at, LOCAL.size);
  if (head.readUInt32LE(0) !== LOCAL.signature)
    throw new BrokenZip(`${path} is not where the directory says`);
  if (method !== 0 && method !== DEFLATED) throw new BrokenZip(`${path} is packed in a way unknown here`);
  const [name, extra] = [head.readUInt16LE(26), head.readUInt16LE(28)];
  const called = (await read(file, at + LOCAL.size, name)).toString('utf8');
  if (called !== path) throw new BrokenZip(`${path} is called otherwise where it begins`);
  const start = at + LOCAL.size + name + extra;
  return { path, deflated: method === DEFLATED, start, end: start + packed };
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (position >= 0 && done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  if (done < length) throw new BrokenZip('it ends where more should stand');
  return bytes;
}
