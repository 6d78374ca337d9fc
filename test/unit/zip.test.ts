import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { inflateRawSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { FilePacker, type PackedFile, packText } from '../../src/platform/zip/packed-file.js';
import { zipOf } from '../../src/platform/zip/zip-of.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { OpenZip } from '../support/zip-file.js';

const AT = new Date('2026-11-29T14:01:58Z');
const folder = mkdtempSync(join(tmpdir(), 'nestctl-zip-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of what a descriptor is; none where it has been closed since it was listed. */
function nameOf(fd: string): string {
  try {
    return readlinkSync(fd);
  } catch {
    return '';
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const seed = testSeed();
it(`files that come to be at once are read back whole, by others' programs too (NESTCTL_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const spools = () => readdirSync(tmpdir()).filter((name) => name.startsWith('nestctl-spool-'));
  const before = spools();
  const contents = new Map<string, string>();
  const packers: [string, FilePacker][] = [];
  for (let at = 0; at < 12; at += 1) {
    const path = `folder/é ${at}.csv`;
    packers.push([path, new FilePacker(path)]);
    contents.set(path, '');
  }
  // The long ones do not fit in memory: random letters cannot be deflated to nothing.
  for (let turn = 0; turn < 4_000; turn += 1) {
    const [path, packer] = random.pick(packers.slice(0, turn % 100 === 0 ? 12 : 3));
    const text = `${turn},é${Array.from({ length: 400 }, () => random.between(33, 126))
      .map((code) => String.fromCharCode(code))
      .join('')}\n`;
    contents.set(path, contents.get(path) + text);
    await packer.write(text);
  }
  const packed: PackedFile[] = [];
  for (const [, packer] of packers) packed.push(await packer.end());
  packed.push(await packText('empty', ''));
  contents.set('empty', '');
  expect(packed.filter((file) => file.packed > 256 * 1024).length).toBeGreaterThan(1);
  // Not even the name of what lies on the disk is to be found.
  expect(spools()).toEqual(before);
  const path = join(folder, 'random.zip');
  await writeFile(path, zipOf(each(packed), AT));
  const zip = await OpenZip.open(path);
  const texts = new Map<string, string>();
  for (const name of zip.entries.keys()) texts.set(name, await zip.text(name));
  expect(texts).toEqual(contents);
  const dates = [...zip.entries.values()].map((entry) => entry.getLastModDate());
  expect(dates).toEqual(dates.map(() => AT));
  expect(dates).toHaveLength(contents.size);
  execFileSync('python3', ['-m', 'zipfile', '-t', path]);
});

it('what lies beyond four gigabytes is found', async () => {
  const nothing = Buffer.alloc(1 << 20);
  const large: PackedFile = {
    ...{ path: 'large', sha256: '', bytes: 5 * 2 ** 30, crc32: 0, packed: 4097 * 2 ** 20 },
    close: async () => undefined,
    async *chunks() {
      for (let at = 0; at < 4097; at += 1) yield nothing;
    },
  };
  const path = join(folder, 'large.zip');
  const file = await open(path, 'w');
  let position = 0;
  const files = [await packText('before', 'a'), large, await packText('behind', 'b')];
  for await (const chunk of zipOf(each(files), AT)) {
    // Of what is nothing but zeros the disk keeps no byte.
    if (chunk !== nothing) await file.write(chunk, 0, chunk.length, position);
    position += chunk.length;
  }
  await file.close();
  const zip = await OpenZip.open(path);
  expect(zip.entries.get('large')).toMatchObject({
    uncompressedSize: large.bytes,
    compressedSize: large.packed,
  });
  expect(zip.entries.get('behind')?.relativeOffsetOfLocalHeader).toBeGreaterThan(2 ** 32);
  expect([await zip.text('before'), await zip.text('behind')]).toEqual(['a', 'b']);
});

it('whoever stops in the middle closes all that had come', async () => {
  const closed: string[] = [];
  const file = (path: string, fails: boolean): PackedFile => ({
    ...{ path, sha256: '', bytes: 1, crc32: 0, packed: 1 },
    close: async () => void closed.push(path),
    async *chunks() {
      if (fails) throw new Error('the disk is gone');
      yield Buffer.from('x');
    },
  });
  const all = async () => {
    for await (const _ of zipOf(each([file('a', false), file('b', true)]), AT));
  };
  await expect(all()).rejects.toThrow('the disk is gone');
  expect(closed).toEqual(['a', 'b']);
});

it('a disk that is full is told to whoever writes, who does not wait for ever', async () => {
  const packer = new FilePacker('large');
  const before = process.env.TMPDIR;
  process.env.TMPDIR = join(folder, 'none');
  try {
    const write = async () => {
      for (let at = 0; at < 100; at += 1)
        await packer.write(
          Array.from({ length: 60_000 }, () => String.fromCharCode(33 + Math.random() * 90)).join(''),
        );
      await packer.end();
    };
    await expect(write()).rejects.toThrow(/ENOENT/);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await packer.discard();
  }
});

it('nothing on the disk is readable', async () => {
  const packer = new FilePacker('secret');
  for (let at = 0; at < 20_000; at += 1) {
    const full = packer.write(`${Math.random()} Grandma\n`);
    if (full !== undefined) await full;
  }
  const file = await packer.end();
  const spools = readdirSync('/proc/self/fd')
    .map((fd) => join('/proc/self/fd', fd))
    .filter((fd) => nameOf(fd).includes('nestctl-spool-'));
  const [spooled, deflated] = [await readFile(spools[0] as string), await buffer(file.chunks())];
  await file.close();
  expect(spools).toHaveLength(1);
  // The end of it is in memory.
  expect(spooled.length).toBeGreaterThan(deflated.length / 2);
  expect(spooled.equals(deflated.subarray(0, spooled.length))).toBe(false);
  expect(inflateRawSync(deflated).toString()).toMatch(/Grandma/);
});
