import { once } from 'node:events';
import { Transform, type Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { type OutputFile, streamOutput } from './output-file.js';
import { safeLines } from './safe-text.js';

/**
 * Prints what comes bit by bit: to the file of --output, else to stdout. JSON is written with everything unsafe as an
 * escape; text as it is, but harmless on a terminal.
 */
export async function printTo<R>(
  file: OutputFile | undefined,
  kind: 'text' | 'json',
  produce: (sink: Writable) => Promise<R>,
): Promise<R> {
  const harmless = kind === 'json' || (file === undefined && process.stdout.isTTY === true);
  const through = async (sink: Writable) =>
    harmless ? await escaped(sink, kind, produce) : await produce(sink);
  return file === undefined ? await through(process.stdout) : await streamOutput(file, through);
}

async function escaped<R>(
  sink: Writable,
  kind: 'text' | 'json',
  produce: (sink: Writable) => Promise<R>,
): Promise<R> {
  const decoder = new StringDecoder('utf8');
  const escaping = new Transform({
    transform(chunk: Buffer, _, done) {
      done(null, safeLines(decoder.write(chunk), kind));
    },
  });
  escaping.pipe(sink, { end: false });
  const result = await produce(escaping);
  escaping.end();
  await once(escaping, 'end');
  return result;
}
