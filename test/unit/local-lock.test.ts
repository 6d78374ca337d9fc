import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../src/platform/local/lock.js';
import { identify } from '../../src/platform/local/process-identity.js';

const source = fileURLToPath(new URL('../../src/platform/local/lock.ts', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nestctl-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Another process that runs `work`, which sees `folder`, `fs` and `sleep`, with the lock held. */
function other(work: string) {
  const script = `
    import * as fs from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(source)};
    const folder = ${JSON.stringify(folder)};
    await withLock(folder + '/lock', async () => { ${work} });`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

test('many processes at once, some killed while they hold it: never two inside', async () => {
  const work = `
    fs.mkdirSync(folder + '/inside');
    await sleep(Math.random() * 20);
    fs.rmdirSync(folder + '/inside');
    fs.appendFileSync(folder + '/done', 'x');`;
  const killed = `
    fs.appendFileSync(folder + '/done', 'k');
    process.kill(process.pid, 'SIGKILL');`;
  const children = Array.from({ length: 16 }, (_, at) => other(at % 4 === 0 ? killed : work));
  const ends = await Promise.all(children.map((child) => once(child, 'exit')));
  expect(ends.map(([code, signal]) => code ?? signal).sort()).toEqual([
    ...Array(12).fill(0),
    ...Array(4).fill('SIGKILL'),
  ]);
  const done = await readFile(join(folder, 'done'), 'utf8');
  expect([...done].sort().join('')).toBe(`${'k'.repeat(4)}${'x'.repeat(12)}`);
});

test('a living holder is waited for, named, and not waited for for ever', async () => {
  const holder = other(`process.stdout.write('in'); await sleep(600_000);`);
  try {
    await once(holder.stdout, 'data');
    const waits: number[] = [];
    await expect(
      withLock(join(folder, 'lock'), async () => {}, { timeoutMs: 200, onWait: (pid) => waits.push(pid) }),
    ).rejects.toMatchObject({
      code: 'busy',
      exitCode: 6,
      message: expect.stringContaining(String(holder.pid)),
    });
    expect(waits).toEqual([holder.pid]);
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  expect(await withLock(join(folder, 'lock'), async () => 'mine', { timeoutMs: 1_000 })).toBe('mine');
});

test('a process that got the id of a dead holder is not taken for it', async () => {
  const lock = join(folder, 'lock');
  await withLock(lock, async () => {});
  const [number = ''] = await readdir(lock);
  const self = await identify(process.pid);
  await writeFile(join(lock, number), JSON.stringify({ pid: process.pid, start: `${self?.start}0` }));
  expect(await withLock(lock, async () => 'mine', { timeoutMs: 1_000 })).toBe('mine');
});

test('what fails inside lets go of it, and it leaves one small file', async () => {
  const lock = join(folder, 'lock');
  const failing = withLock(lock, async () => {
    throw new Error('inside');
  });
  await expect(failing).rejects.toThrow('inside');
  for (let turn = 0; turn < 5; turn++) await withLock(lock, async () => {});
  expect(await readdir(lock)).toHaveLength(1);
});
