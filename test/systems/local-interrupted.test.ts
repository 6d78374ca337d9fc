import { mkdtempSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.js';
import { removeHome } from '../support/local.js';

let checkout: Checkout;
beforeAll(async () => {
  checkout = await Checkout.make();
});
afterAll(() => checkout.remove());

let home = '';
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'nestctl-interrupted-'));
  await chmod(home, 0o755);
});
afterEach(() => removeHome(home));

const env = () => ({ HOME: home, NESTCTL_HOME: home, NESTCTL_CONFIG: join(home, 'config', 'contexts.toml') });

async function expectSound(): Promise<void> {
  const status = await checkout.run(['local', 'status', '--json'], { env: env() });
  expect(status.json.result).toMatchObject({
    state: 'running',
    migrations: { pending: 0 },
    contexts: ['local', 'local-second'],
    wal: { archiver: { failed: 0 } },
  });
  expect((await readdir(join(home, 'local'))).filter((name) => name.startsWith('making-'))).toEqual([]);
}

test.each([150, 250, 350, 450, 550, 650, 800, 1_000, 1_300])(
  'up killed after %i ms: the next one finishes the work',
  async (killAfter) => {
    await checkout.run(['local', 'up', '--json'], { env: env(), killAfter });
    const again = await checkout.run(['local', 'up', '--json'], { env: env() });
    expect(again.json).toMatchObject({ ok: true });
    await expectSound();
  },
);

test('reset killed half way: up finishes it', async () => {
  await checkout.run(['local', 'up'], { env: env() });
  await checkout.run(['local', 'reset', '--confirm', 'local'], { env: env(), killAfter: 450 });
  expect((await checkout.run(['local', 'up', '--json'], { env: env() })).json).toMatchObject({ ok: true });
  await expectSound();
});

test('three consoles at once start one server, which outlives them all', async () => {
  const runs = await Promise.all(
    [1, 2, 3].map(() => checkout.run(['local', 'up', '--json'], { env: env() })),
  );
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(new Set(runs.map(({ json }) => (json.result as { pid: number }).pid)).size).toBe(1);
  expect(runs.filter(({ json }) => (json.result as { made: boolean }).made)).toHaveLength(1);
  await expectSound();
});

test('reset asks for the name, and without a terminal changes nothing', async () => {
  const up = await checkout.run(['local', 'up', '--json'], { env: env() });
  const { pid } = up.json.result as { pid: number };
  const asked = await checkout.run(['local', 'reset', '--json'], { env: env() });
  expect(asked.json.error).toMatchObject({
    code: 'consent_missing',
    exitCode: 7,
    next: 'nestctl local reset --confirm local',
  });
  expect(asked.code).toBe(7);
  expect((await checkout.run(['local', 'reset', '--confirm', 'locale'], { env: env() })).code).toBe(2);
  const dry = await checkout.run(['local', 'reset', '--dry-run', '--json'], { env: env() });
  expect(dry.json.result).toMatchObject({ dry_run: true, plan: { data: join(home, 'local', 'data') } });
  const status = await checkout.run(['local', 'status', '--json'], { env: env() });
  expect(status.json.result).toMatchObject({ state: 'running', pid });
});

test('after a reset the new log is sealed: what was seen of the removed one is no witness against it', async () => {
  const why = ['--reason', 'tests of a reset', '--ticket', 'OPS-1', '--json'];
  await checkout.run(['local', 'up'], { env: env() });
  await checkout.run(['evidence', 'key', 'create', ...why], { env: env() });
  const before = await checkout.run(['audit', 'seal', '--json'], { env: env() });
  expect(before.json).toMatchObject({ ok: true, result: { signed: true } });
  await checkout.run(['local', 'reset', '--confirm', 'local'], { env: env() });
  const after = await checkout.run(['audit', 'seal', '--json'], { env: env() });
  expect(after.json).toMatchObject({ ok: true, result: { signed: true } });
  const verified = await checkout.run(['audit', 'verify', '--json'], { env: env() });
  expect(verified.json).toMatchObject({ ok: true, result: { verdict: 'intact' } });
});
