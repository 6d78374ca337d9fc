import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ObjectStore,
  openObjectStore,
  type StoreSettings,
} from '../../src/platform/object-store/index.js';
import { DEFAULT_RESIDENCY } from '../../src/platform/residency-policy.js';
import { contextFile, finished, runConsole } from '../support/console.js';
import { createTestDatabase } from '../support/database.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type ObjectServer, startObjectServer, storeOn } from '../support/object-server.js';

const MIB = 1024 * 1024;
const FAST = { attempts: 4, firstWait: 20, idle: 1_500 };

let server: ObjectServer;
let foreign: ObjectServer;
let proxy: FaultProxy;
let folder: string;
const opened: ObjectStore[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nestctl-store-test-'));
  server = await startObjectServer({ sts: true });
  foreign = await startObjectServer({ region: 'us-west-2' });
  await foreign.makeBucket('abroad');
  proxy = await startFaultProxy(server.port);
  await server.makeBucket('plain');
  await server.makeVersioned('versioned');
  await server.makeBucket('locked', { ObjectLockEnabledForBucket: true });
});
afterAll(async () => {
  await proxy?.close();
  await server?.stop();
  await foreign?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
  proxy.fault = undefined;
  proxy.delay = 0;
  proxy.seen.length = 0;
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  for (const store of opened.splice(0)) store.close();
});

const direct = (bucket: string, more: Partial<StoreSettings> = {}) => storeOn(server, bucket, more);
const viaProxy = (bucket: string, more: Partial<StoreSettings> = {}) =>
  storeOn({ ...server, port: proxy.port }, bucket, more);

async function open(settings: StoreSettings, policy = DEFAULT_RESIDENCY): Promise<ObjectStore> {
  const store = await openObjectStore(settings, policy, FAST);
  opened.push(store);
  return store;
}

async function file(name: string, size: number): Promise<{ path: string; bytes: Buffer }> {
  const path = join(folder, name);
  const bytes = randomBytes(size);
  await writeFile(path, bytes);
  return { path, bytes };
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const puts = () => proxy.seen.filter((line) => line.startsWith('PUT'));
const partNumbers = (lines: readonly string[]) =>
  lines.flatMap((line) => (/PUT .*partNumber=(\d+)/.exec(line)?.[1] ?? []) as string[]).map(Number);

describe('residency', () => {
  it('refuses a server in another region before the first byte', async () => {
    const before = (await foreign.requests('abroad')).length;
    for (const region of ['us-west-2', 'ca-central-1']) {
      await expect(open(storeOn({ ...foreign, region }, 'abroad'))).rejects.toMatchObject({
        code: 'residency_refused',
        exitCode: 4,
        message: expect.stringContaining('us-west-2'),
      });
    }
    const lines = (await foreign.requests('abroad')).slice(before);
    expect(lines).toHaveLength(4);
    expect(lines.filter((line) => !/"(HEAD \/abroad\/|GET \/abroad\/\?location=) HTTP/.test(line))).toEqual(
      [],
    );
  });

  it('goes by what the policy allows', async () => {
    expect((await open(direct('plain'))).region).toBe('ca-central-1');
    await expect(open(direct('plain'), { regions: ['ca-west-1'] })).rejects.toMatchObject({
      code: 'residency_refused',
    });
    await expect(open(direct('plain', { region: 'ca-west-1' }))).rejects.toMatchObject({
      code: 'store_region_wrong',
    });
  });

  it('believes the region that HeadBucket names, also where it is refused', async () => {
    const region = { 'x-amz-bucket-region': 'us-east-2' };
    proxy.fault = (line) => (line.startsWith('HEAD') ? { headers: region } : undefined);
    await expect(open(viaProxy('plain'))).rejects.toMatchObject({ code: 'residency_refused' });
    proxy.fault = () => ({ status: 403, code: 'AccessDenied', headers: region });
    await expect(open(viaProxy('plain'))).rejects.toMatchObject({
      message: expect.stringContaining('us-east-2'),
    });
    expect(puts()).toEqual([]);
  });

  it('takes a null location for us-east-1, and no answer for no pass', async () => {
    proxy.fault = (line) =>
      line.includes('?location') ? { status: 200, body: '<LocationConstraint/>' } : undefined;
    await expect(open(viaProxy('plain'))).rejects.toMatchObject({
      code: 'residency_refused',
      message: expect.stringContaining('us-east-1'),
    });
    proxy.fault = () => ({ status: 403, code: 'AccessDenied' });
    await expect(open(viaProxy('plain'))).rejects.toMatchObject({ code: 'residency_unknown', exitCode: 4 });
  });

  it('names a bucket that is not there', async () => {
    await expect(open(direct('nowhere'))).rejects.toMatchObject({ code: 'bucket_unknown', exitCode: 5 });
  });
});

describe('objects', () => {
  it('come back as they were sent, whole and in part, below the prefix', async () => {
    const store = await open(direct('plain', { prefix: 'nestsync/' }));
    const bytes = randomBytes(100_000);
    const sent = await store.put('a/b é.bin', bytes);
    expect(sent).toMatchObject({ key: 'a/b é.bin', size: 100_000, sha256: sha256(bytes), parts_sent: 1 });
    expect(await buffer(store.get('a/b é.bin'))).toEqual(bytes);
    const part = await buffer(store.get('a/b é.bin', { range: { from: 10, to: 19 } }));
    expect(part).toEqual(bytes.subarray(10, 20));
    expect(await store.head('a/b é.bin')).toMatchObject({ size: 100_000, sha256: sha256(bytes) });
    expect(await keys(store, 'a/')).toEqual(['a/b é.bin']);
    const whole = await open(direct('plain'));
    expect(await keys(whole)).toContain('nestsync/a/b é.bin');
    expect(await store.head('none')).toBeUndefined();
    await expect(buffer(store.get('none'))).rejects.toMatchObject({ code: 'object_unknown', exitCode: 5 });
  });

  it('are listed beyond one page', async () => {
    const store = await open(direct('plain', { prefix: 'many/' }));
    const names = Array.from({ length: 1_005 }, (_, at) => `k${String(at).padStart(4, '0')}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(
        names
          .slice(at, at + 50)
          .map((name) =>
            server.admin.send(new PutObjectCommand({ Bucket: 'plain', Key: `many/${name}`, Body: name })),
          ),
      );
    }
    expect(await keys(store)).toEqual(names);
  });

  it('are streamed in parts, and an empty one is an object too', async () => {
    const store = await open(direct('plain'));
    const bytes = randomBytes(20 * MIB + 17);
    const stream = (async function* () {
      for (let at = 0; at < bytes.length; at += 300_007) yield bytes.subarray(at, at + 300_007);
    })();
    const sent = await store.put('stream', stream);
    expect(sent).toMatchObject({ size: bytes.length, sha256: sha256(bytes), parts_sent: 5 });
    expect(sent.verified_by).toBe('read_back');
    expect(sha256(await buffer(store.get('stream')))).toBe(sha256(bytes));
    expect(await store.put('empty', new Uint8Array())).toMatchObject({ size: 0 });
  });

  it('leave nothing behind where the stream they come from breaks', async () => {
    const store = await open(direct('plain'));
    const breaking = (async function* () {
      yield randomBytes(9 * MIB);
      yield randomBytes(9 * MIB);
      throw new Error('the source broke');
    })();
    await expect(store.put('broken', breaking)).rejects.toThrow('the source broke');
    expect(await store.head('broken')).toBeUndefined();
    expect(await pending('plain', 'broken')).toBe(0);
  });

  it('are not replaced where that was not wanted', async () => {
    const store = await open(direct('plain'));
    await store.put('once', Buffer.from('first'), { ifAbsent: true });
    await expect(store.put('once', Buffer.from('second'), { ifAbsent: true })).rejects.toMatchObject({
      code: 'object_exists',
      exitCode: 6,
    });
    expect((await buffer(store.get('once'))).toString()).toBe('first');
  });

  it('are deleted version by version, and looked for afterwards', async () => {
    const store = await open(direct('versioned'));
    const versions = [];
    for (const text of ['1', '2', '3']) versions.push((await store.put('v', Buffer.from(text))).version);
    await store.put('v-neighbour', Buffer.from('stays'));
    expect(new Set(versions).size).toBe(3);
    await store.removeVersion('v', versions[0] as string);
    expect((await buffer(store.get('v', { version: versions[1] as string }))).toString()).toBe('2');
    expect(await store.removeAll('v')).toBe(2);
    expect(await store.head('v')).toBeUndefined();
    expect(await store.head('v-neighbour')).toBeDefined();
  });

  it('go over TLS where its certificate can be verified, and not else', async () => {
    const https = { endpoint: `https://localhost:${server.httpsPort}` };
    const store = await open(direct('plain', { ...https, caFile: server.caFile }));
    await store.put('tls', Buffer.from('x'));
    await expect(open(direct('plain', https))).rejects.toMatchObject({ code: 'tls_unverified' });
    await expect(open(direct('plain', { endpoint: 'http://s3.example.ca' }))).rejects.toMatchObject({
      code: 'tls_disabled',
      exitCode: 2,
    });
  });
});

describe('an upload that is cut off', () => {
  it('by kill -9 is gone on with: parts that are there are not sent again', async () => {
    const { path, bytes } = await file('large.bin', 64 * MIB + 5);
    proxy.delay = 40;
    const settings = JSON.stringify(viaProxy('plain'));
    const start = () =>
      spawn(
        process.execPath,
        ['--import', 'tsx', 'test/support/upload-process.ts', settings, 'large', path],
        {
          stdio: 'pipe',
        },
      );
    const first = start();
    while (partNumbers(proxy.seen).length < 5) await sleep(5);
    first.kill('SIGKILL');
    await once(first, 'exit');
    await sleep(300);
    expect(existsSync(`${path}.nestctl-upload`)).toBe(true);
    const there = (await server.requests('plain')).filter((line) => / 200 /.test(line));
    const arrived = new Set(partNumbers(there.filter((line) => line.includes('/plain/large'))));
    expect(arrived.size).toBeGreaterThan(0);
    expect(arrived.size).toBeLessThan(9);

    proxy.seen.length = 0;
    const { stdout, stderr } = await finished(start());
    const resent = partNumbers(proxy.seen);
    expect(stderr).toBe('');
    expect(resent.filter((number) => arrived.has(number))).toEqual([]);
    expect([...resent, ...arrived].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(JSON.parse(stdout)).toMatchObject({
      parts_found: arrived.size,
      parts_sent: resent.length,
      sha256: sha256(bytes),
    });
    expect(existsSync(`${path}.nestctl-upload`)).toBe(false);
    expect(await pending('plain', 'large')).toBe(0);
    expect(sha256(await buffer((await open(direct('plain'))).get('large')))).toBe(sha256(bytes));
  });

  it('by the caller says how to go on, and goes on', async () => {
    const { path } = await file('aborted.bin', 24 * MIB);
    const store = await open(viaProxy('plain'));
    const stop = new AbortController();
    const cut = store.upload('aborted', path, {
      signal: stop.signal,
      onProgress: ({ sent }) => sent > 0 && stop.abort(),
    });
    await expect(cut).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 });
    const sent = await store.upload('aborted', path);
    expect(sent.parts_found + sent.parts_sent).toBe(3);
    expect(sent.parts_found).toBeGreaterThan(0);
  });

  it('begins anew where the file is another by now, and forgets the old parts', async () => {
    const { path } = await file('changing.bin', 16 * MIB);
    const store = await open(viaProxy('plain'));
    proxy.fault = (line) =>
      line.includes('partNumber=2') ? { status: 403, code: 'AccessDenied' } : undefined;
    await expect(store.upload('changing', path)).rejects.toMatchObject({ code: 'store_denied' });
    proxy.fault = undefined;
    const { bytes } = await file('changing.bin', 16 * MIB);
    expect(await store.upload('changing', path)).toMatchObject({ parts_found: 0, sha256: sha256(bytes) });
    expect(await pending('plain', 'changing')).toBe(0);
  });

  it('while it was completed is found complete', async () => {
    const { path } = await file('completed.bin', 16 * MIB);
    const store = await open(viaProxy('plain'));
    let lost = 0;
    proxy.fault = (line) => (/^POST .*uploadId=/.test(line) && lost++ === 0 ? 'lose_answer' : undefined);
    expect(await store.upload('completed', path)).toMatchObject({ parts_sent: 2 });
    expect(lost).toBeGreaterThan(0);
    expect(await store.upload('completed', path)).toMatchObject({ parts_sent: 0, parts_found: 2 });
  });
});

describe('trouble that passes', () => {
  it.each([
    ['500s', { status: 500, code: 'InternalError' }],
    ['a plea to slow down', { status: 503, code: 'SlowDown' }],
    ['time-outs', 'hang'],
    ['reset connections', 'reset'],
    ['a lost answer', 'lose_answer'],
  ] as const)('is outlasted: %s', async (_, fault) => {
    const store = await open(viaProxy('plain'));
    let failures = 0;
    proxy.fault = (line) => (line.startsWith('PUT') && failures++ < 2 ? fault : undefined);
    const sent = await store.put('passing', Buffer.from('data'));
    expect(sent.size).toBe(4);
    expect(puts()).toHaveLength(3);
  });

  it('is given up after some tries, in a sentence', async () => {
    const store = await open(viaProxy('plain'));
    proxy.fault = () => ({ status: 503, code: 'SlowDown' });
    await expect(store.put('never', Buffer.from('x'))).rejects.toMatchObject({
      code: 'store_failing',
      exitCode: 1,
      message: expect.stringMatching(/failed 4 times in a row \(SlowDown, 503\)/),
    });
    expect(puts()).toHaveLength(4);
    proxy.fault = () => 'hang';
    await expect(store.put('never', Buffer.from('x'))).rejects.toMatchObject({ code: 'store_unreachable' });
  });

  it('never has a refusal tried again', async () => {
    const store = await open(viaProxy('plain'));
    for (const status of [400, 403, 404, 409, 412]) {
      proxy.seen.length = 0;
      proxy.fault = () => ({ status, code: 'Refused' });
      await expect(store.put('refused', Buffer.from('x'))).rejects.toMatchObject({ name: 'NestctlError' });
      expect(puts()).toHaveLength(1);
    }
  });

  it('does not lose a byte of a download', async () => {
    const store = await open(viaProxy('plain'));
    const bytes = randomBytes(3 * MIB);
    await store.put('download', bytes);
    proxy.seen.length = 0;
    let cuts = 0;
    proxy.fault = (line) => (line.startsWith('GET') && cuts++ < 3 ? { cutAfter: 700_001 } : undefined);
    expect((await buffer(store.get('download'))).equals(bytes)).toBe(true);
    expect(proxy.seen.length).toBe(4);
  });

  it('that is a store which is not there is named', async () => {
    await expect(open(direct('plain', { endpoint: 'http://127.0.0.1:1' }))).rejects.toMatchObject({
      code: 'store_down',
    });
    await expect(open(direct('plain', { endpoint: 'https://s3.invalid' }))).rejects.toMatchObject({
      code: 'host_unknown',
    });
  });
});

describe('what is damaged', () => {
  it('on the way back is found and not kept', async () => {
    const store = await open(viaProxy('plain'));
    proxy.fault = (line) => (line.startsWith('GET') ? 'flip' : undefined);
    await expect(store.put('flipped', randomBytes(50_000))).rejects.toMatchObject({
      code: 'checksum_mismatch',
      exitCode: 1,
    });
    proxy.fault = undefined;
    expect(await store.head('flipped')).toBeUndefined();
  });

  it('at rest is found by reading it again', async () => {
    const store = await open(direct('plain'));
    const bytes = randomBytes(1_000);
    await store.put('rotten', bytes);
    const expected = { size: 1_000, sha256: sha256(bytes) };
    await store.verify('rotten', expected);
    const pool = 'default.rgw.buckets.data';
    const stored = (await server.ceph('rados', '-p', pool, 'ls')).split('\n');
    const name = stored.find((line) => line.endsWith('_rotten')) as string;
    const { path } = await file('rot', 1_000);
    await server.ceph('rados', '-p', pool, 'put', name, path);
    await expect(store.verify('rotten', expected)).rejects.toMatchObject({ code: 'checksum_mismatch' });
  });

  it("is known by the store's own SHA-256 where it gives one, without reading all of it", async () => {
    const store = await open(viaProxy('plain'));
    const bytes = Buffer.from('known');
    const own = createHash('sha256').update(bytes).digest('base64');
    proxy.fault = (line) =>
      line.startsWith('HEAD') ? { headers: { 'x-amz-checksum-sha256': own } } : undefined;
    expect(await store.put('known', bytes)).toMatchObject({ verified_by: 'store_checksum' });
    expect(proxy.seen.filter((line) => line.startsWith('GET /plain/known'))).toEqual([]);
    await expect(store.put('known', Buffer.from('other'))).rejects.toMatchObject({
      code: 'checksum_mismatch',
    });
  });
});

describe('who is refused', () => {
  it('for a wrong secret or key is told so, without either', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'planted-wrong-secret');
    const wrong = open(storeOn(foreign, 'abroad'));
    await expect(wrong).rejects.toMatchObject({ code: 'store_credentials_refused', exitCode: 4 });
    await expect(wrong).rejects.not.toThrow(/planted|TESTACCESSKEY/);
    await expect(open(direct('plain'))).rejects.toMatchObject({ code: 'residency_unknown', exitCode: 4 });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'NOBODYSKEY');
    await expect(open(storeOn(foreign, 'abroad'))).rejects.toMatchObject({
      code: 'store_credentials_refused',
    });
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    await expect(open(direct('plain'))).rejects.toMatchObject({ code: 'store_credentials_missing' });
  });

  it('for a clock that is off is told by how much, and which way', async () => {
    for (const [minutes, said] of [
      [60, /60 minutes fast/],
      [-40, /40 minutes slow/],
    ] as const) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 });
      await expect(open(direct('plain'))).rejects.toMatchObject({
        code: 'clock_skew',
        message: expect.stringMatching(said),
        next: 'timedatectl status',
      });
      vi.useRealTimers();
    }
    const store = await open(direct('plain'));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    await expect(store.put('late', Buffer.from('x'))).rejects.toMatchObject({ code: 'clock_skew' });
  });

  it('for temporary credentials that have expired is told so', async () => {
    const temporary = await assumeRole(2);
    const script = join(folder, 'credentials.sh');
    await writeFile(script, `#!/bin/sh\ncat <<'C'\n${JSON.stringify(temporary)}\nC\n`);
    await chmod(script, 0o700);
    const credentials = { from: 'command' as const, command: [script] };
    const store = await open(direct('plain', { credentials }));
    await store.put('temporary', Buffer.from('x'));
    await sleep(2_500);
    await expect(store.put('temporary', Buffer.from('y'))).rejects.toMatchObject({
      code: 'store_credentials_expired',
      exitCode: 4,
    });
    // Given without their end, as in the environment, the server alone says so, and not what it is.
    vi.stubEnv('AWS_ACCESS_KEY_ID', temporary.AccessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', temporary.SecretAccessKey);
    vi.stubEnv('AWS_SESSION_TOKEN', temporary.SessionToken);
    await expect(open(direct('plain'))).rejects.toMatchObject({ exitCode: 4 });
    // Amazon says what it is.
    proxy.fault = () => ({ status: 400, code: 'ExpiredToken' });
    await expect(open(viaProxy('plain'))).rejects.toMatchObject({ code: 'store_credentials_expired' });
  });

  it('for a file of credentials that others can read', async () => {
    const path = join(folder, 'aws-credentials');
    await writeFile(
      path,
      `[backup]\naws_access_key_id = ${server.keys.id}\naws_secret_access_key = ${server.keys.secret}\n`,
    );
    await chmod(path, 0o644);
    const credentials = { from: 'profile' as const, name: 'backup', file: path };
    await expect(open(direct('plain', { credentials }))).rejects.toMatchObject({
      code: 'store_credentials_open',
      next: `chmod 600 ${path}`,
    });
    await chmod(path, 0o600);
    expect((await open(direct('plain', { credentials }))).region).toBe('ca-central-1');
  });
});

describe('Object Lock', () => {
  it('keeps a version from being deleted by anybody', async () => {
    const store = await open(direct('locked'));
    const until = new Date(Date.now() + 4_000);
    const sent = await store.put('kept', Buffer.from('evidence'), { retainUntil: until });
    expect(Math.abs((sent.retain_until?.getTime() ?? 0) - until.getTime())).toBeLessThan(1_001);
    expect((await store.head('kept'))?.retain_until).toEqual(sent.retain_until);
    await expect(store.removeVersion('kept', sent.version as string)).rejects.toMatchObject({
      code: 'object_locked',
      exitCode: 4,
      message: expect.stringContaining(sent.retain_until?.toISOString() ?? '?'),
    });
    await expect(store.removeAll('kept')).rejects.toMatchObject({ code: 'object_locked' });
    // A shorter lock changes nothing.
    expect(await store.retain('kept', new Date(Date.now() + 500))).toEqual(sent.retain_until);
    expect((await buffer(store.get('kept'))).toString()).toBe('evidence');
    await sleep(Math.max(0, until.getTime() - Date.now()) + 1_500);
    expect(await store.removeAll('kept')).toBe(1);
  });

  it('is missed where the bucket was made without it', async () => {
    const store = await open(direct('plain'));
    const sent = store.put('unlockable', Buffer.from('x'), { retainUntil: new Date(Date.now() + 60_000) });
    await expect(sent).rejects.toMatchObject({ code: 'lock_missing', exitCode: 6 });
  });
});

describe('a link', () => {
  it('reads one object, without credentials, until it expires', async () => {
    const store = await open(direct('plain'));
    await store.put('linked', Buffer.from('for you'));
    const { url, expires_at } = await store.link('linked', { seconds: 2, saveAs: 'export "x".zip' });
    const answer = await fetch(url);
    expect(await answer.text()).toBe('for you');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="export__x_.zip"');
    expect((await fetch(url.replace('linked', 'once'))).status).toBe(403);
    await sleep(Math.max(0, expires_at.getTime() - Date.now()) + 1_100);
    expect((await fetch(url)).status).toBe(403);
  });

  it('lasts no longer than 7 days, nor than its credentials', async () => {
    const store = await open(direct('plain'));
    await expect(store.link('linked', { seconds: 7 * 86_400 + 1 })).rejects.toMatchObject({ exitCode: 2 });
    expect((await store.link('linked', { seconds: 7 * 86_400 })).url).toContain('X-Amz-Expires=604800');
  });
});

describe('context check', () => {
  it('tells a store in Canada from one abroad and one that keeps us out', async () => {
    const database = await createTestDatabase();
    const [camille] = database.operators;
    const context = (name: string, port: number, bucket: string, region: string) => `
[contexts.${name}]
kind = "server"
host = "${camille.host}"
port = ${camille.port}
database = "${camille.database}"
user = "${camille.user}"
password_env = "PW"
[contexts.${name}.object_store]
endpoint = "http://127.0.0.1:${port}"
bucket = "${bucket}"
region = "${region}"
path_style = true
`;
    const { env } = await contextFile(
      context('here', server.port, 'plain', 'ca-central-1') +
        context('abroad', foreign.port, 'abroad', 'us-west-2'),
    );
    const secrets = {
      PW: camille.password as string,
      AWS_ACCESS_KEY_ID: server.keys.id,
      AWS_SECRET_ACCESS_KEY: server.keys.secret,
    };
    const check = async (name: string, more: Record<string, string> = {}) => {
      const args = ['context', 'check', name, '--json', '--verbose'];
      const { stdout, stderr, code } = await runConsole(args, { env: { ...env, ...secrets, ...more } });
      for (const secret of Object.values(secrets)) expect(stdout + stderr).not.toContain(secret);
      const { findings } = JSON.parse(stdout).result as {
        findings: { name: string; level: string; detail: string }[];
      };
      return { code, store: findings.find((one) => one.name === 'object store') };
    };
    try {
      expect(await check('here')).toMatchObject({
        code: 0,
        store: { level: 'ok', detail: expect.stringContaining('ca-central-1') },
      });
      expect(await check('abroad')).toMatchObject({
        code: 3,
        store: { level: 'error', detail: expect.stringContaining('us-west-2') },
      });
      expect(await check('here', { AWS_SECRET_ACCESS_KEY: 'wrong' })).toMatchObject({
        code: 9,
        store: { level: 'unknown' },
      });
    } finally {
      await database.drop();
    }
  });
});

async function keys(store: ObjectStore, prefix?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

/** Uploads in parts of a key that were begun and neither completed nor abandoned. */
async function pending(bucket: string, key: string): Promise<number> {
  const { Uploads } = await server.admin.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }),
  );
  return Uploads?.length ?? 0;
}

/** Real temporary credentials of the server's own STS. */
async function assumeRole(seconds: number) {
  const allow = (more: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...more }] });
  const trust = allow({ Principal: { AWS: ['arn:aws:iam:::user/tests'] }, Action: ['sts:AssumeRole'] });
  await server.ceph(
    'radosgw-admin',
    'role',
    'create',
    '--role-name=brief',
    `--assume-role-policy-doc=${trust}`,
  );
  const policy = allow({ Action: ['s3:*'], Resource: 'arn:aws:s3:::*' });
  const put = ['role-policy', 'put', '--role-name=brief', '--policy-name=all', `--policy-doc=${policy}`];
  await server.ceph('radosgw-admin', ...put);
  const { id, secret } = server.keys;
  const child = spawn('curl', [
    ...['--silent', '--aws-sigv4', 'aws:amz:ca-central-1:sts', '--user', `${id}:${secret}`],
    ...[
      '--data',
      `Action=AssumeRole&RoleArn=arn:aws:iam:::role/brief&RoleSessionName=test&DurationSeconds=${seconds}`,
    ],
    `http://127.0.0.1:${server.port}/`,
  ]);
  const { stdout } = await finished(child);
  const field = (name: string) => new RegExp(`<${name}>([^<]+)`).exec(stdout)?.[1] ?? '';
  return {
    Version: 1,
    AccessKeyId: field('AccessKeyId'),
    SecretAccessKey: field('SecretAccessKey'),
    SessionToken: field('SessionToken'),
    Expiration: field('Expiration'),
  };
}
