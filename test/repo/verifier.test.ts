import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { appendRecord, publishKeys } from '../../src/evidence/index.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { draft, newEvidence, temporaryFolder } from '../support/evidence.js';
import { fileOf, sealedPackage } from '../support/sealed-package.js';
import { loadedWith, readSources } from '../support/source-imports.js';

const sources = new Map(readSources('bin', 'src').map((source) => [source.path, source]));
const loaded = [...loadedWith('bin/verify.js', sources)];
const ours = loaded.filter((path) => !path.startsWith('node:'));

it('loads Node.js and files of ours that do no more, few enough to be read', () => {
  expect(ours.filter((path) => !sources.has(path))).toEqual([]);
  const dynamic = ours
    .flatMap((path) => sources.get(path)?.imports ?? [])
    .filter(({ kind }) => kind === 'dynamic');
  expect(dynamic).toEqual([]);
  const reaching = loaded.filter((path) =>
    /^node:(net|http|https|tls|dgram|dns|child_process|vm)/.test(path),
  );
  expect(reaching).toEqual([]);
  const lines = ours.reduce((sum, path) => sum + (sources.get(path)?.text.split('\n').length ?? 0), 0);
  // 640 of them are for the history of a family: reading it strictly, and the tree of families. 420 for packages: what is
  // signed at their end, the ZIP format, and the files in it.
  expect(lines).toBeLessThan(2700);
});

it('runs where there is nothing but itself: no packages, no manifest, no database', async () => {
  const evidence = await newEvidence();
  await appendRecord(evidence, draft(1));
  await appendRecord(evidence, draft(2));
  const keys = join(temporaryFolder(), 'keys.json');
  await publishKeys(evidence, keys);
  const alone = await mkdtemp(join(tmpdir(), 'nestctl-verifier-'));
  onTestFinished(() => rm(alone, { recursive: true, force: true }));
  for (const path of ['bin/verify.js', 'dist/src/evidence/verify-standalone.js'])
    await cp(join(packageRoot(), path), join(alone, path), { recursive: true });
  await cp(join(packageRoot(), 'package.json'), join(alone, 'package.json'));
  expect(await readdir(alone)).not.toContain('node_modules');
  const run = (...args: string[]) => verifyIn(alone, ...args);

  const good = await run('--keys', keys, evidence.places.records);
  expect(good).toMatchObject({ code: 0, stderr: '' });
  expect(good.stdout).toMatch(/good {6}chain drills: 2 records, head drills:2:[0-9a-f]{64}/);
  expect((await run('--keys', keys, join(evidence.places.records, 'drills', '000001.json'))).code).toBe(0);
  const made = join(temporaryFolder(), 'package.zip');
  await sealedPackage(evidence, made, [fileOf('provided/users.json', '[]\n')]);
  const found = await run('--keys', keys, made);
  expect(found).toMatchObject({ code: 0, stderr: '' });
  expect(found.stdout).toContain('each of its 2 files as its manifest says');
  await rm(join(evidence.places.records, 'drills', '000001.json'));
  const bad = await run('--keys', keys, evidence.places.records);
  expect(bad.code).toBe(3);
  expect(bad.stdout).toContain('TAMPERED  chain drills, record 1: removed');

  expect((await run()).code).toBe(2);
  expect((await run('--nonsense')).code).toBe(2);
  expect((await run('--keys', keys, '--head', 'x', evidence.places.records)).code).toBe(2);
  expect((await run('--keys', keys, join(alone, 'absent'))).code).toBe(5);
  expect((await run('--keys', join(alone, 'package.json'), alone)).code).toBe(1);
  expect((await run('--keys', keys, temporaryFolder())).code).toBe(9);
  expect((await run('--help')).stdout).toContain('Exit codes');
});

function verifyIn(
  folder: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(folder, 'bin', 'verify.js'), ...args],
      { cwd: dirname(folder), env: {} },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
