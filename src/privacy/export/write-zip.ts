import { createHash } from 'node:crypto';
import { Readable, type Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A file of a ZIP file. What it holds is asked for when its turn comes, after all before it are written. */
export interface ZipEntry {
  readonly path: string;
  readonly chunks: () => AsyncIterable<string>;
}

/** A file as it was written. */
export interface WrittenFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface ZipWish {
  /** When its files were made, as the ZIP file says. */
  readonly at: Date;
  /** What the bytes pass through on their way to the sink. */
  readonly seal: Transform;
  readonly signal?: AbortSignal | undefined;
  /** Told of each file when it is whole. */
  readonly onFile: (file: WrittenFile) => void;
}

/** Writes a ZIP file as its content comes; memory does not grow with it. */
export async function writeZip(
  entries: Iterable<ZipEntry>,
  { at, seal, signal, onFile }: ZipWish,
  sink: Writable,
): Promise<void> {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const fail = (error: Error) => output.destroy(error);
  zip.on('error', fail);
  for (const { path, chunks } of entries) {
    zip.addReadStreamLazy(path, { mtime: at, mode: 0o100600 }, (begin) => {
      const content = Readable.from(digested(path, chunks(), onFile), { objectMode: false });
      content.on('error', fail);
      begin(null, content);
    });
  }
  zip.end();
  await pipeline(output, seal, sink, { end: false, signal });
}

async function* digested(
  path: string,
  chunks: AsyncIterable<string>,
  onFile: ZipWish['onFile'],
): AsyncGenerator<Buffer> {
  const digest = createHash('sha256');
  let bytes = 0;
  for await (const chunk of inBlocks(chunks)) {
    digest.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  onFile({ path, sha256: digest.digest('hex'), bytes });
}

const BLOCK = 64 * 1024;

async function* inBlocks(chunks: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    if (text.length < BLOCK) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}
