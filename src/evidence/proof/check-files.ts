import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { isObject } from '../../platform/signing/dsse.js';
import type { EvidenceRecord } from '../record.js';
import { BrokenZip, type ZipEntry, zipEntries } from './zip-entries.js';

const MANIFEST = 'manifest.json';
/** It lists a few files for each table, and where others were replaced. */
const LONGEST_MANIFEST = 64 * 1024 * 1024;

/**
 * What is wrong with the files of a package whose bytes are as they were signed, held against its manifest: a sentence
 * without its full stop, undefined where each is there, and is what it was made as. Memory does not grow with them.
 */
export async function checkFiles(
  path: string,
  comment: number,
  { content }: EvidenceRecord,
): Promise<string | undefined> {
  const file = await open(path);
  try {
    const entries = await zipEntries(file, (await file.stat()).size, comment);
    const named = new Map(entries.map((entry) => [entry.path, entry]));
    if (named.size !== entries.length) return 'it has two files of one name';
    if (typeof content.files === 'number' && content.files !== entries.length)
      return `${content.files} files were signed for, and it has ${entries.length}`;
    const listed = await readManifest(path, named.get(MANIFEST), content.manifest_sha256);
    if (typeof listed === 'string') return listed;
    for (const { path: name, sha256, bytes } of listed) {
      const entry = named.get(name);
      if (entry === undefined) return `its manifest lists ${name}, which is not there`;
      named.delete(name);
      const found = await unpack(path, entry, bytes);
      if (found?.sha256 !== sha256 || found.bytes !== bytes) return `${name} is not what its manifest says`;
    }
    named.delete(MANIFEST);
    const [more] = named.keys();
    return more === undefined ? undefined : `${more} is there, and its manifest does not list it`;
  } catch (error) {
    if (error instanceof BrokenZip) return error.message;
    throw error;
  } finally {
    await file.close();
  }
}

interface ListedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

async function readManifest(
  path: string,
  entry: ZipEntry | undefined,
  signed: unknown,
): Promise<readonly ListedFile[] | string> {
  if (entry === undefined) return 'it has no manifest';
  const chunks: Buffer[] = [];
  const found = await unpack(path, entry, LONGEST_MANIFEST, (chunk) => chunks.push(chunk));
  if (found === undefined || found.sha256 !== signed) return 'its manifest is not what was signed for';
  let manifest: unknown;
  try {
    manifest = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return 'its manifest is no JSON';
  }
  const files = isObject(manifest) && Array.isArray(manifest.files) ? manifest.files : [undefined];
  return files.every(isListed) ? files : 'its manifest does not list its files';
}

function isListed(file: unknown): file is ListedFile {
  return (
    isObject(file) &&
    typeof file.path === 'string' &&
    typeof file.sha256 === 'string' &&
    typeof file.bytes === 'number'
  );
}

/** Undefined where it does not unpack, or to more than it may. */
async function unpack(
  path: string,
  { start, end, deflated }: ZipEntry,
  most: number,
  onChunk: (chunk: Buffer) => void = () => undefined,
): Promise<{ sha256: string; bytes: number } | undefined> {
  const digest = createHash('sha256');
  let bytes = 0;
  const take = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > most) throw new BrokenZip('more than it may be');
      digest.update(chunk);
      onChunk(chunk);
    }
  };
  // A range that ends before it begins is none to a stream.
  const packed = start === end ? [] : createReadStream(path, { start, end: end - 1 });
  try {
    await (deflated ? pipeline(packed, createInflateRaw(), take) : pipeline(packed, take));
  } catch (error) {
    if (error instanceof BrokenZip || String((error as NodeJS.ErrnoException).code).startsWith('Z_')) return;
    throw error;
  }
  return { sha256: digest.digest('hex'), bytes };
}
