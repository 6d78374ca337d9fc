import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { carriedRecords } from '../../src/evidence/carry/carried-records.js';
import {
  appendRecord,
  carryEvidence,
  createSigningKey,
  type Evidence,
  openEvidence,
  planCarry,
  publishKeys,
  withCarrier,
} from '../../src/evidence/index.js';
import { sealRecord } from '../../src/evidence/record.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { loadSigningKey } from '../../src/platform/signing/signing-key.js';
import { finished, runConsole, startConsole } from '../support/console.js';
import { draft } from '../support/evidence-context.js';
import { type ObjectServer, startObjectServer } from '../support/object-server.js';

let server: ObjectServer;
let buckets = 0;

beforeAll(async () => {
  server = await startObjectServer();
  await server.makeBucket('unlocked');
});
afterAll(() => server?.stop());

let home: string;
let bucket: string;
let context: Context;
let evidence: Evidence;
let env: Record<string, string>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'nestctl-carry-'));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(home, { recursive: true, force: true });
  });
  buckets += 1;
  bucket = `evidence-${buckets}`;
  await server.makeBucket(bucket, { ObjectLockEnabledForBucket: true });
  await configure(bucket);
  vi.stubEnv('NESTCTL_HOME', home);
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
  evidence = openEvidence(context);
  await createSigningKey(evidence);
  for (let number = 1; number <= 4; number += 1) await appendRecord(evidence, draft(number));
});

async function configure(name: string): Promise<void> {
  const store = { endpoint: `http://127.0.0.1:${server.port}`, bucket: name, region: server.region };
  context = {
    name: 'prod',
    kind: 'server',
    host: '127.0.0.1',
    port: 5432,
    database: 'nestsync',
    user: 'camille.roy',
    object_store: { ...store, path_style: true },
    evidence: { retain_days: 2 },
  };
  const toml = [
    '[contexts.prod]\nkind = "server"\nhost = "127.0.0.1"\ndatabase = "nestsync"\nuser = "camille.roy"',
    `[contexts.prod.object_store]\nendpoint = "${store.endpoint}"\nbucket = "${name}"`,
    `region = "${store.region}"\npath_style = true`,
    '[contexts.prod.evidence]\nretain_days = 2\n',
  ].join('\n');
  await writeFile(join(home, 'contexts.toml'), toml, { mode: 0o600 });
  env = {
    NESTCTL_HOME: home,
    NESTCTL_CONFIG: join(home, 'contexts.toml'),
    AWS_ACCESS_KEY_ID: server.keys.id,
    AWS_SECRET_ACCESS_KEY: server.keys.secret,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: tests state the shape they expect
async function nestctl(...args: string[]): Promise<{ code: number | null; body: any }> {
  const { code, stdout } = await runConsole(['evidence', ...args, '--json'], { env });
  return { code, body: JSON.parse(stdout) };
}

const local = (chain: string, number: number) =>
  join(evidence.places.records, chain, `${String(number).padStart(6, '0')}.json`);
const key = (number: number) => `evidence/prod/drills/${String(number).padStart(6, '0')}.json`;

async function keysIn(name = bucket): Promise<string[]> {
  const { Contents = [] } = await server.admin.send(new ListObjectsV2Command({ Bucket: name }));
  return Contents.map(({ Key }) => Key ?? '');
}

/** What verify --carried names: here, and in the store. */
async function named(): Promise<{ code: number | null; here: string[]; there: string[] }> {
  const { code, body } = await nestctl('verify', '--carried');
  const tell = (chains: { faults: { kind: string; chain: string; number: number | null }[] }[]) =>
    chains.flatMap(({ faults }) => faults.map(({ kind, chain, number }) => `${kind} ${chain}/${number}`));
  return { code, here: tell(body.result.chains), there: tell(body.result.carried.chains) };
}

const SOUND = { code: 0, here: [], there: [] };

describe('carrying', () => {
  it('sends every record once, locked in compliance mode, and goes on from there', async () => {
    const plan = await nestctl('carry', '--dry-run');
    expect(plan.body.result.plan.chains).toMatchObject([
      { chain: 'drills', missing: [1, 2, 3, 4] },
      { chain: 'keys', missing: [1] },
    ]);
    expect(await keysIn()).toEqual([]);

    const first = await nestctl('carry');
    expect(first.body.result.chains).toMatchObject([
      { chain: 'drills', sent: 4, found: 0, head: { size: 4 } },
      { chain: 'keys', sent: 1 },
    ]);
    expect(await keysIn()).toEqual([1, 2, 3, 4].map(key).concat('evidence/prod/keys/000001.json'));
    const { Retention } = await server.admin.send(
      new GetObjectRetentionCommand({ Bucket: bucket, Key: key(3) }),
    );
    expect(Retention?.Mode).toBe('COMPLIANCE');
    const days = (Number(Retention?.RetainUntilDate) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(1.9);
    expect(days).toBeLessThanOrEqual(2);

    await appendRecord(evidence, draft(5));
    expect((await nestctl('carry')).body.result.chains).toMatchObject([
      { chain: 'drills', sent: 1, found: 0 },
      { chain: 'keys', sent: 0 },
    ]);
    expect(await named()).toEqual(SOUND);
  });

  it('cut off at any moment is gone on with, and every record ends up locked', async () => {
    for (let number = 5; number <= 30; number += 1) await appendRecord(evidence, draft(number));
    let killed = 0;
    for (const wait of [500, 700, 900]) {
      const child = startConsole(['evidence', 'carry'], { env });
      child.stdin.end();
      const ended = finished(child);
      await sleep(wait);
      child.kill('SIGKILL');
      if ((await ended).signal === 'SIGKILL') killed += 1;
    }
    expect(killed).toBeGreaterThan(0);
    const { code, body } = await nestctl('carry');
    expect(code).toBe(0);
    const [{ sent, found }] = body.result.chains as [{ sent: number; found: number }];
    expect(sent + found).toBeLessThanOrEqual(30);
    for (let number = 1; number <= 30; number += 1) {
      const { Retention } = await server.admin.send(
        new GetObjectRetentionCommand({ Bucket: bucket, Key: key(number) }),
      );
      expect(Retention?.Mode, key(number)).toBe('COMPLIANCE');
    }
    expect(await named()).toEqual(SOUND);
  });

  it('by several consoles at once is no fork, though a store may take the same record twice', async () => {
    const runs = await Promise.all([nestctl('carry'), nestctl('carry'), nestctl('carry')]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    const sent = runs.flatMap(({ body }) => body.result.chains).reduce((sum, { sent }) => sum + sent, 0);
    expect(sent).toBeGreaterThanOrEqual(5);
    expect(await named()).toEqual(SOUND);
  });

  it('leaves out a chain that does not verify: it would be locked in as it is', async () => {
    await writeFile(local('drills', 2), 'nonsense');
    const { code, body } = await nestctl('carry');
    expect(code).toBe(3);
    expect(body.result.left_out).toEqual(['drills']);
    expect(await keysIn()).toEqual(['evidence/prod/keys/000001.json']);
  });

  it('is refused before the first byte where the bucket takes no locks, or there is none', async () => {
    await configure('unlocked');
    const { code, body } = await nestctl('carry');
    expect([code, body.error.code]).toEqual([6, 'lock_missing']);
    expect(await keysIn('unlocked')).toEqual([]);
    await writeFile(
      join(home, 'contexts.toml'),
      '[contexts.prod]\nkind = "server"\nhost = "127.0.0.1"\ndatabase = "n"\nuser = "camille.roy"\n',
    );
    for (const args of [['carry'], ['verify', '--carried']]) {
      const bare = await nestctl(...args);
      expect([bare.code, bare.body.error.code]).toEqual([6, 'no_object_store']);
    }
  });
});

describe('verify --carried', () => {
  beforeEach(async () => {
    expect((await nestctl('carry')).code).toBe(0);
  });

  it('tells of a chain that was cut here, also where the memory of this console was cut with it', async () => {
    await rm(local('drills', 4));
    await rm(evidence.places.seen);
    expect((await nestctl('verify')).code).toBe(0);
    expect(await named()).toEqual({ code: 3, here: ['truncated drills/4'], there: [] });
  });

  it('tells of a chain that is gone here altogether', async () => {
    await rm(join(evidence.places.records, 'drills'), { recursive: true });
    await rm(evidence.places.seen);
    expect(await named()).toEqual({ code: 3, here: ['truncated drills/1'], there: [] });
  });

  it('tells of a history that was written anew by whoever has the key', async () => {
    await rm(local('drills', 4));
    await rm(evidence.places.seen);
    await appendRecord(evidence, { ...draft(4), content: { minutes: 1 } });
    expect((await nestctl('verify')).code).toBe(0);
    expect(await named()).toEqual({ code: 3, here: ['forked drills/4'], there: [] });
    // Nor is the new history carried over the old one.
    await rm(evidence.places.carried);
    const { code, body } = await nestctl('carry');
    expect([code, body.error.code]).toEqual([6, 'carried_differs']);
  });

  it('tells what was deleted in the store, and what was put over a record there: neither takes it away', async () => {
    await server.admin.send(new DeleteObjectCommand({ Bucket: bucket, Key: key(4) }));
    expect(await named()).toEqual({ code: 3, here: [], there: ['hidden drills/4'] });
    const bytes = await readFile(local('drills', 4), 'utf8');
    await server.admin.send(new PutObjectCommand({ Bucket: bucket, Key: key(3), Body: 'nonsense' }));
    const signer = await loadSigningKey(evidence.places.key);
    if (signer === undefined) throw new Error('no key');
    const { record } = await appendRecord(evidence, draft(5));
    await server.admin.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key(2),
        Body: sealRecord({ ...record, number: 2 }, signer),
      }),
    );
    expect(await named()).toEqual({
      code: 3,
      here: [],
      there: ['forked drills/2', 'foreign drills/null', 'hidden drills/4'],
    });
    // With the locked versions in the store, the local loss of the same record is told all the same.
    await rm(local('drills', 5));
    await writeFile(local('drills', 4), bytes.replace('"payload":"e', '"payload":"f'));
    expect((await named()).here).toEqual(['edited drills/4', 'truncated drills/5']);
  });

  it('finds a forged record that was put into the store before the true one', async () => {
    await server.admin.send(new PutObjectCommand({ Bucket: bucket, Key: key(5), Body: '{}' }));
    expect(await named()).toMatchObject({ code: 3, there: ['edited drills/5'] });
    await appendRecord(evidence, draft(5));
    const { body } = await nestctl('carry');
    expect(body.error.code).toBe('carried_differs');
  });

  it('copied down, what was carried verifies stand-alone with the public key', async () => {
    const folder = join(home, 'copy');
    await withCarrier(context, async (carrier) => {
      const { records } = await carriedRecords(carrier);
      for (const chain of await records.chains()) {
        await mkdir(join(folder, chain), { recursive: true });
        for (const number of (await records.list(chain)).numbers) {
          const name = `${String(number).padStart(6, '0')}.json`;
          await writeFile(join(folder, chain, name), (await records.read(chain, number)) ?? '');
        }
      }
    });
    expect(await readdir(join(folder, 'drills'))).toHaveLength(4);
    const keys = join(home, 'keys.json');
    await publishKeys(evidence, keys);
    expect(await verifyStandalone(['--keys', keys, folder])).toMatchObject({ exitCode: 0 });
  });
});

describe('the clock of the store', () => {
  beforeEach(async () => {
    await withCarrier(context, async (carrier) =>
      carryEvidence(evidence, carrier, await planCarry(evidence, carrier)),
    );
  });

  it('proves what was carried before a theft; what a thief backdates is in doubt, and after retirement false', async () => {
    await sleep(2_100);
    // Both claim a time before the theft: one is its owner's and was not carried yet, the other could be a thief's.
    await appendRecord(evidence, draft(5));
    const signer = await loadSigningKey(evidence.places.key);
    const { record, hash } = await appendRecord(evidence, draft(6));
    if (signer === undefined) throw new Error('no key');
    const stolen = new Date(Date.parse(record.made_at) + 1).toISOString();
    await sleep(5);
    const retired = await nestctl('key', 'retire', '--reason', 'theft', '--stolen-since', stolen, '--yes');
    expect(retired.code).toBe(0);
    const late = sealRecord({ ...record, number: 7, previous: hash }, signer);
    await writeFile(local('drills', 7), late);
    const { code, body } = await nestctl('verify', '--chain', 'drills');
    expect(code).toBe(3);
    const [chain] = body.result.chains;
    expect(chain.doubts.map(({ number }: { number: number }) => number)).toEqual([5, 6]);
    expect(chain.faults).toMatchObject([{ kind: 'stolen_key', number: 7 }]);

    await rm(local('drills', 7));
    expect((await nestctl('verify', '--chain', 'drills')).code).toBe(9);
    expect((await nestctl('show', 'drills/4')).code).toBe(0);
    expect((await nestctl('show', 'drills/6')).code).toBe(9);
    const keys = join(home, 'keys.json');
    await publishKeys(evidence, keys);
    const alone = await verifyStandalone(['--keys', keys, '--json', evidence.places.records]);
    expect(alone.exitCode).toBe(9);
    const [{ chains }] = JSON.parse(alone.stdout).checked;
    expect(chains[0].doubts.map(({ number }: { number: number }) => number)).toEqual([5, 6]);
  });

  it('is asked for again later where the store did not answer when the theft was reported', async () => {
    await sleep(2_100);
    const stolen = new Date().toISOString();
    const settings = await readFile(join(home, 'contexts.toml'), 'utf8');
    await writeFile(join(home, 'contexts.toml'), settings.replace(`:${server.port}`, ':1'));
    const args = ['key', 'retire', '--reason', 'theft', '--stolen-since', stolen, '--yes'];
    const offline = await nestctl(...args);
    expect(offline.code).toBe(0);
    expect(offline.body.warnings).toMatchObject([{ code: 'not_proven' }]);
    expect((await nestctl('verify')).code).toBe(9);
    await writeFile(join(home, 'contexts.toml'), settings);
    const [kid = ''] = [offline.body.result.key as string];
    args.splice(2, 0, kid);
    expect((await nestctl(...args)).code).toBe(0);
    expect((await nestctl('verify')).code).toBe(0);
  });
});
