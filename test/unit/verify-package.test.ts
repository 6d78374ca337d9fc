import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  appendRecord,
  type Evidence,
  planRetirement,
  publishKeys,
  readKeySet,
  retireKey,
  verifyPackage,
} from '../../src/evidence/index.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { encryptInto } from '../../src/privacy/encryption/encrypt-into.js';
import type { EncryptTo } from '../../src/privacy/encryption/encryption.js';
import { draft, newEvidence, temporaryFolder } from '../support/evidence.js';
import { seededRandom, testScale, testSeed } from '../support/model/random.js';
import { peakMemory } from '../support/peak-memory.js';
import { fileOf, fileOfBlocks, type SealedWish, sealedPackage } from '../support/sealed-package.js';

let evidence: Evidence;
let folder: string;
let file: string;
let keys: string;
beforeEach(async () => {
  evidence = await newEvidence();
  folder = temporaryFolder();
  [file, keys] = [join(folder, 'package.zip'), join(folder, 'keys.json')];
  await publishKeys(evidence, keys);
});

const FILES = [
  fileOf('index.html', '<!doctype html><title>Vos données</title>'),
  fileOf('provided/users.json', `[${JSON.stringify({ id: 1, first_name: 'Zoé' })}]\n`),
  fileOf('provided/users.csv', 'id,first_name\r\n1,Zoé\r\n'),
  fileOf('observed/empty.csv', ''),
  fileOf('observed/noise.json', randomBytes(100_000)),
];
const sealed = (wish?: SealedWish, files = FILES) => sealedPackage(evidence, file, files, wish);

/** What the stand-alone verifier says: its exit code, and the sentence of what is wrong. */
async function standalone(...more: string[]) {
  const { exitCode, stdout, stderr } = await verifyStandalone(['--keys', keys, '--json', ...more, file]);
  expect(stderr).toBe('');
  const [found] = JSON.parse(stdout).checked;
  return { exitCode, fault: found.chains[0]?.faults[0], unchecked: found.unchecked, made: found.package };
}

/** The same of `export verify`, which holds its verdict in exit codes alike. */
async function ofConsole() {
  const judged = await verifyPackage(file, await readKeySet(keys));
  if (judged === undefined) return { exitCode: 3, detail: 'it is no package', kind: 'edited' };
  if ('refused' in judged) return { exitCode: 3, ...judged.refused };
  return { exitCode: 'proven' in judged ? 0 : 9, kind: undefined, detail: undefined };
}

async function bothSay(exitCode: number, detail?: string): Promise<void> {
  const [alone, console] = [await standalone(), await ofConsole()];
  expect([alone.exitCode, console.exitCode]).toEqual([exitCode, exitCode]);
  expect([alone.fault?.kind, alone.fault?.detail]).toEqual([console.kind, console.detail]);
  if (detail !== undefined) expect(console.detail).toBe(detail);
}

describe('a package, verified with nothing but the public keys', () => {
  it.each([false, true])('is good, and told what it is (ZIP64: %s)', async (zip64) => {
    await sealed({ zip64 });
    await bothSay(0);
    expect((await standalone()).made).toMatchObject({
      record: { chain: 'exports', content: { request: 'REQ-2026-0001', files: 6, rows: 7 } },
    });
    const { stdout } = await verifyStandalone(['--keys', keys, file]);
    expect(stdout).toContain('good      package for REQ-2026-0001: every byte as it was signed');
  });

  it('is not after any byte of it was changed, and the console says the same', async () => {
    await sealed();
    const whole = await readFile(file);
    const seed = testSeed();
    const random = seededRandom(seed);
    const ends = whole.length - whole.lastIndexOf('PK\x05\x06', undefined, 'latin1');
    const places = new Set([
      ...Array.from({ length: 150 * testScale() }, () => random.between(0, whole.length - 1)),
      ...Array.from({ length: 60 }, (_, at) => at),
      ...Array.from({ length: 60 }, () => whole.length - 1 - random.between(0, ends)),
      ...Array.from({ length: 23 }, (_, at) => whole.length - ends + at),
    ]);
    for (const at of places) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ (1 << random.between(0, 7));
      await writeFile(file, bytes);
      await bothSay(3).catch((error: Error) => {
        throw new Error(`NESTCTL_TEST_SEED=${seed}, byte ${at} of ${whole.length}: ${error.message}`);
      });
    }
    await writeFile(file, whole);
    await bothSay(0);
  });

  it.each([
    ['cut by a byte', (whole: Buffer) => whole.subarray(0, -1)],
    ['cut at half', (whole: Buffer) => whole.subarray(0, whole.length / 2)],
    ['without its first byte', (whole: Buffer) => whole.subarray(1)],
    ['with a byte more', (whole: Buffer) => Buffer.concat([whole, Buffer.from('\n')])],
    ['with a byte before', (whole: Buffer) => Buffer.concat([Buffer.from('\n'), whole])],
    ['twice', (whole: Buffer) => Buffer.concat([whole, whole])],
  ])('is not %s', async (_, change) => {
    await sealed();
    await writeFile(file, change(await readFile(file)));
    await bothSay(3);
  });

  it.each<[string, SealedWish, string]>([
    [
      'a file is not what it says',
      {
        manifest: (all) => ({
          files: all.map((one) =>
            one.path === 'provided/users.csv' ? { ...one, sha256: '0'.repeat(64) } : one,
          ),
        }),
      },
      'provided/users.csv is not what its manifest says',
    ],
    [
      'a file is longer than it says',
      {
        manifest: (all) => ({
          files: all.map((one) =>
            one.path === 'observed/noise.json' ? { ...one, bytes: one.bytes - 1 } : one,
          ),
        }),
      },
      'observed/noise.json is not what its manifest says',
    ],
    [
      'a file is not there',
      {
        manifest: (all) => ({
          files: [...all, { path: 'inferred/x.json', sha256: '0'.repeat(64), bytes: 1 }],
        }),
      },
      'its manifest lists inferred/x.json, which is not there',
    ],
    [
      'a file is not listed',
      { manifest: (all) => ({ files: all.slice(1) }) },
      'index.html is there, and its manifest does not list it',
    ],
    [
      'it is another than was signed for',
      { manifestSha256: 'a'.repeat(64) },
      'its manifest is not what was signed for',
    ],
    ['it lists nothing', { manifest: () => ({}) }, 'its manifest does not list its files'],
    ['it is no JSON', { manifest: () => '{"files": [' }, 'its manifest is no JSON'],
    ['there are more files than were signed for', { count: 5 }, '5 files were signed for, and it has 6'],
  ])('is refused where by the manifest %s, though all is well signed', async (_, wish, detail) => {
    await sealed(wish);
    await bothSay(3, detail);
  });

  it('is refused with two files of one name', async () => {
    await sealed({}, [...FILES, fileOf('index.html', 'another')]);
    await bothSay(3, 'it has two files of one name');
  });

  it('is unknown where its key was stolen since, and not where another signed it', async () => {
    await sealed();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const since = new Date();
    await retireKey(
      evidence,
      await planRetirement(evidence, { because: 'stolen laptop', stolenSince: since }),
    );
    await publishKeys(evidence, keys);
    await bothSay(9);
    expect((await standalone()).unchecked).toEqual(expect.any(String));
    const stranger = await newEvidence('stranger');
    await sealedPackage(stranger, file, FILES);
    await bothSay(3);
    expect((await standalone()).fault.kind).toBe('unknown_key');
  });

  it('is not what else is signed: a record behind a ZIP file', async () => {
    await sealed();
    const whole = await readFile(file);
    const end = whole.lastIndexOf('PK\x05\x06', undefined, 'latin1');
    await appendRecord(evidence, draft(1));
    const other = await readFile(join(evidence.places.records, 'drills', '000001.json'));
    const length = Buffer.alloc(2);
    length.writeUInt16LE(other.length);
    await writeFile(file, Buffer.concat([whole.subarray(0, end + 20), length, other]));
    await bothSay(3, 'what is signed at its end is not about a package');
  });
});

describe('an encrypted package', () => {
  async function encrypted(to: EncryptTo): Promise<void> {
    await sealed();
    const whole = await readFile(file);
    file = join(folder, 'package.zip.age');
    const sink = createWriteStream(file);
    await encryptInto(to, sink, (into) => pipeline(Readable.from([whole]), into, { end: false }));
    sink.end();
    await finished(sink);
  }

  it('is looked at from outside, and what cannot be checked is said', async () => {
    await encrypted({ recipients: [await identityToRecipient(await generateX25519Identity())] });
    const { exitCode, unchecked } = await standalone();
    expect([exitCode, unchecked]).toEqual([9, expect.stringContaining('what it holds was not looked at')]);
    expect(unchecked).toContain('to the key of somebody');
    await encrypted({ passphrase: 'berceau lune érable 42' });
    expect((await standalone()).unchecked).toContain('with a passphrase');
  });

  it('is refused where no file of age is made so', async () => {
    await encrypted({ recipients: [await identityToRecipient(await generateX25519Identity())] });
    const whole = await readFile(file);
    const head = whole.indexOf('\n', whole.indexOf('\n---') + 1) + 1;
    for (const bytes of [
      whole.subarray(0, head),
      whole.subarray(0, head - 5),
      whole.subarray(0, head + 16 + 65_552 + 9),
    ]) {
      await writeFile(file, bytes);
      expect(await standalone()).toMatchObject({ exitCode: 3, fault: { kind: 'edited' } });
    }
  });
});

it('takes no more memory for a package of 420 MB than for a small one', async () => {
  const large = fileOfBlocks('observed/large.bin', randomBytes(60_000), 7_000);
  const run = async () => {
    const args = [join(packageRoot(), 'bin', 'verify.js'), '--keys', keys, file];
    return await peakMemory(spawn(process.execPath, args, { stdio: 'ignore' }));
  };
  await sealed();
  const small = await run();
  await sealed({}, [...FILES, large]);
  const { code, peak } = await run();
  expect([small.code, code]).toEqual([0, 0]);
  // Blocks in flight, and what the collector has yet to take.
  expect(peak).toBeLessThan(small.peak + 60);
}, 120_000);
