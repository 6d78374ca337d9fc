import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import {
  appendShared,
  createSigningKey,
  type Evidence,
  openEvidence,
  shareChain,
} from '../../src/evidence/index.js';
import { readStatement, sha256 } from '../../src/evidence/record.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { parseEnvelope } from '../../src/platform/signing/dsse.js';
import { temporaryFolder } from '../support/evidence.js';
import { draft } from '../support/evidence-context.js';
import { type ObjectServer, startObjectServer } from '../support/object-server.js';

const CHAIN = 'erasures';
let server: ObjectServer;
let context: Context;
let bucket = 0;
beforeAll(async () => {
  server = await startObjectServer();
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
});
beforeEach(async () => {
  bucket += 1;
  const name = `shared-${bucket}`;
  await server.makeBucket(name, { ObjectLockEnabledForBucket: true });
  context = contextOf(name);
});

const contextOf = (name: string): Context => ({
  ...{
    name: 'prod',
    kind: 'server',
    host: '127.0.0.1',
    port: 5432,
    database: 'nestsync',
    user: 'camille.roy',
  },
  object_store: {
    endpoint: `http://127.0.0.1:${server.port}`,
    ...{ bucket: name, region: server.region, path_style: true },
  },
  evidence: { retain_days: 1 },
});

/** A console of its own, with a folder and a key. */
async function console(): Promise<Evidence> {
  vi.stubEnv('NESTCTL_HOME', temporaryFolder());
  const evidence = openEvidence(context);
  await createSigningKey(evidence);
  return evidence;
}

const entry = (number: number) => draft(number, CHAIN);

/** The records of a chain as a console has them, each following the one before. */
async function chainOf({ store }: Evidence): Promise<number[]> {
  let [previous, minutes]: [string | null, number[]] = [null, []];
  for (const number of (await store.list(CHAIN)).numbers) {
    const bytes = (await store.read(CHAIN, number)) ?? Buffer.alloc(0);
    const envelope = parseEnvelope(bytes.toString('utf8'));
    const record = envelope && readStatement(envelope);
    expect([record?.number, record?.previous]).toEqual([minutes.length + 1, previous]);
    previous = sha256(bytes);
    minutes = [...minutes, record?.content.minutes as number];
  }
  return minutes;
}

test('consoles that write one chain, in turn and at once, write one chain', async () => {
  const [one, other] = [await console(), await console()];
  await appendShared(one, context, entry(1));
  await appendShared(other, context, entry(2));
  await appendShared(one, context, entry(3));
  expect(await chainOf(one)).toEqual([1, 2, 3]);
  await Promise.all(
    [one, other].flatMap((each, at) => [10, 20, 30].map((n) => appendShared(each, context, entry(n + at)))),
  );
  await shareChain(one, context, CHAIN);
  await shareChain(other, context, CHAIN);
  const all = await chainOf(one);
  expect(await chainOf(other)).toEqual(all);
  expect([...all].sort((a, b) => a - b)).toEqual([1, 2, 3, 10, 11, 20, 21, 30, 31]);
});

test('what was begun without a store is carried; what one console has lost comes back', async () => {
  const one = await console();
  const { object_store: _, ...alone } = context;
  await appendShared(one, alone, entry(1));
  await appendShared(one, context, entry(2));
  const other = await console();
  await shareChain(other, context, CHAIN);
  expect(await chainOf(other)).toEqual([1, 2]);
  await rm(join(other.places.records, CHAIN), { recursive: true });
  await appendShared(other, context, entry(3));
  expect(await chainOf(other)).toEqual([1, 2, 3]);
});

test('two chains that never saw each other are not made one, and nothing is written', async () => {
  const [one, other] = [await console(), await console()];
  const { object_store: _, ...alone } = context;
  await appendShared(one, context, entry(1));
  await appendShared(other, alone, entry(2));
  await expect(appendShared(other, context, entry(3))).rejects.toMatchObject({ code: 'carried_differs' });
  expect(await chainOf(other)).toEqual([2]);
});

test('a store that takes no locks gets nothing, and neither does this console', async () => {
  await server.makeBucket('unlocked');
  const one = await console();
  await expect(appendShared(one, contextOf('unlocked'), entry(1))).rejects.toMatchObject({
    code: 'lock_missing',
  });
  expect(await readdir(one.places.records).catch(() => [])).not.toContain(CHAIN);
});
