import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { sealAndCarry, verifyContext } from '../../src/audit/index.js';
import { carryBacklog } from '../../src/audit/seal/carry-backlog.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { attack, cutTo, freshConsole, UNSEAL } from '../support/attacks.js';
import { finished, runConsole, startConsole } from '../support/console.js';
import { type ObjectServer, startObjectServer } from '../support/object-server.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';

let server: ObjectServer;
let buckets = 0;
beforeAll(async () => {
  server = await startObjectServer();
  await server.makeBucket('unlocked');
});
afterAll(() => server?.stop());

let log: SealedLog;
let bucket: string;
let context: Context;

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
  buckets += 1;
  bucket = `heads-${buckets}`;
  await server.makeBucket(bucket, { ObjectLockEnabledForBucket: true });
  log = await sealedLog();
  context = contextWith();
  await log.write('Roy', 'Tremblay', 'Gagnon');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await log.close();
});

/** The context of the log with the store, or with one that is somewhere else. */
function contextWith(store: Partial<NonNullable<Context['object_store']>> = {}, regions?: string[]): Context {
  return {
    name: 'test',
    kind: 'server',
    host: log.operator.host,
    port: log.operator.port,
    database: log.operator.database,
    user: log.operator.user,
    object_store: {
      endpoint: `http://127.0.0.1:${server.port}`,
      bucket,
      region: server.region,
      path_style: true,
      ...store,
    },
    evidence: { retain_days: 2 },
    ...(regions === undefined ? {} : { residency: { regions } }),
  };
}
const unreachable = () => contextWith({ endpoint: 'http://127.0.0.1:1' });

const seal = (where = context) => sealAndCarry(log.sre, where);
const verify = (by = log, where = context) => verifyContext(by.sre, where);
const kindsOf = ({ faults }: { faults: readonly { kind: string }[] }) => faults.map(({ kind }) => kind);

async function keysIn(name = bucket): Promise<string[]> {
  const { Contents = [] } = await server.admin.send(new ListObjectsV2Command({ Bucket: name }));
  return Contents.map(({ Key }) => Key ?? '');
}
async function textOf(key: string): Promise<string> {
  const { Body } = await server.admin.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await Body?.transformToString()) ?? '';
}
const keptNotes = async () =>
  (await log.superuser.query<{ note: string }>('select note from audit.checkpoints order by id')).map(
    ({ note }) => note,
  );
/** Events and their heads, without the store. */
async function sealAlone(times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await log.write(`family ${time}`);
    await log.seal();
  }
}

describe('a sealed head', () => {
  test('goes to the store, byte for byte, where neither its time, nor a deletion, nor another object takes it away', async () => {
    const done = await seal();
    expect(done).toMatchObject({ signed: true, carried: 1, left_to_carry: 0, not_carried: null });
    expect(done.carried_to).toContain(bucket);
    const [key = '', ...more] = await keysIn();
    expect([more, await textOf(key)]).toEqual([[], (await keptNotes())[0]]);
    const { Retention } = await server.admin.send(
      new GetObjectRetentionCommand({ Bucket: bucket, Key: key }),
    );
    expect(Retention?.Mode).toBe('COMPLIANCE');
    expect(Number(Retention?.RetainUntilDate) - Date.now()).toBeGreaterThan(1.9 * 86_400_000);

    const { Versions = [] } = await server.admin.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const VersionId = Versions[0]?.VersionId;
    const version = { Bucket: bucket, Key: key, VersionId };
    await expect(server.admin.send(new DeleteObjectCommand(version))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(
      server.admin.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(
      server.admin.send(
        new PutObjectRetentionCommand({
          ...version,
          Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + 60_000) },
        }),
      ),
    ).rejects.toMatchObject({ name: 'AccessDenied' });

    await server.admin.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'nothing was sealed' }));
    await server.admin.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    expect(await keysIn()).toEqual([]);
    // From the database, from this console's memory, and from the version below those in the store.
    expect(await verify()).toMatchObject({ verdict: 'intact', checkpoints: 3, doubts: [] });
    // And put where readers look first again, once.
    expect((await seal()).carried).toBe(1);
    expect(await textOf(key)).toBe((await keptNotes())[0]);
    expect((await seal()).carried).toBe(0);
  });

  test('is not sent to a bucket without locks, nor in a region that the context does not allow', async () => {
    const open = await seal(contextWith({ bucket: 'unlocked' }));
    expect(open).toMatchObject({ signed: true, carried: 0, carried_to: null });
    expect(open.not_carried).toContain('no Object Lock');
    expect(await keysIn('unlocked')).toEqual([]);

    const abroad = await seal(contextWith({}, ['ca-west-1']));
    expect(abroad).toMatchObject({ carried: 0, carried_to: null });
    expect(abroad.not_carried).toContain('ca-central-1');
    expect(await keysIn()).toEqual([]);
    expect(
      (await server.requests(bucket)).filter((line) => line.includes('"PUT /') && line.includes('.note')),
    ).toEqual([]);
    expect((await verify(log, contextWith({}, ['ca-west-1']))).doubts).toMatchObject([
      { object: 'object store' },
    ]);
  });
});

describe('a log that was written anew, its console with it', () => {
  /** Another console with the key, which has seen nothing: what was remembered is gone. */
  const newcomer = async () => {
    const fresh = await freshConsole(log);
    onTestFinished(() => fresh.leave());
    return fresh;
  };
  beforeEach(async () => {
    await seal();
    await log.write('Lavoie', 'Bouchard');
    await seal();
  });

  test('with the key: only the store tells', async () => {
    await attack(
      log.superuser,
      'delete from audit.events where id = (select min(id) from audit.events)',
      ...UNSEAL,
    );
    const forger = await newcomer();
    await forger.write('so many', 'that it is', 'longer than', 'before');
    await forger.seal();
    expect((await forger.verify()).verdict).toBe('intact');
    const report = await verify(forger);
    expect([report.verdict, kindsOf(report)]).toEqual(['tampered', ['rewritten_with_key']]);
    expect(report.faults[0]?.detail).toContain('the object store');
    // Carried after all, the forged head lies beside the true ones, and takes nothing away.
    await sealAndCarry(forger.sre, context);
    expect(kindsOf(await verify(forger))).toEqual(['rewritten_with_key']);
  });

  test('cut back to its first head: only the store tells', async () => {
    const [first] = await log.superuser.query<{ size: string; watermark: string }>(
      `select size::text, split_part(split_part(note, E'\\nwatermark ', 2), E'\\n', 1) as watermark from audit.checkpoints order by id limit 1`,
    );
    const watermark = first?.watermark.split(' ')[1] ?? '';
    await attack(log.superuser, ...cutTo(Number(first?.size), watermark));
    const reader = await newcomer();
    expect((await reader.verify()).verdict).toBe('intact');
    const report = await verify(reader);
    expect([report.verdict, kindsOf(report)]).toEqual(['tampered', ['tail_cut']]);
    expect(report.faults[0]?.detail).toContain('the object store');
  });

  test('as another log: only the store tells', async () => {
    await attack(log.superuser, ...UNSEAL, 'update audit.tree set log_id = gen_random_uuid()');
    const forger = await newcomer();
    await forger.seal();
    expect((await forger.verify()).verdict).toBe('intact');
    expect(kindsOf(await verify(forger))).toEqual(['rewritten']);
  });

  test('and the store out of reach or empty: that is not known, and not called clean', async () => {
    await attack(
      log.superuser,
      'delete from audit.events where id = (select min(id) from audit.events)',
      ...UNSEAL,
    );
    const forger = await newcomer();
    await forger.seal();
    const silent = await verify(forger, unreachable());
    expect(silent.doubts).toMatchObject([
      { object: 'object store', detail: expect.stringContaining('could not be read') },
    ]);
    await server.makeBucket(`${bucket}-empty`, { ObjectLockEnabledForBucket: true });
    const empty = await verify(forger, contextWith({ bucket: `${bucket}-empty` }));
    expect(empty.doubts).toMatchObject([
      { object: 'object store', detail: expect.stringContaining('no checkpoint') },
    ]);
  });
});

describe('after a time without the store', () => {
  const sizesIn = async () => Promise.all((await keysIn()).map(textOf));

  test('what was sealed meanwhile is carried too, in order, so many a run', async () => {
    await seal();
    const dead = await seal(unreachable());
    expect([dead.signed, dead.carried_to]).toEqual([false, null]);
    await sealAlone(3);
    await log.write('Roy');
    const missed = await seal(unreachable());
    expect(missed).toMatchObject({ signed: true, carried: 0, carried_to: null });
    expect(missed.not_carried).not.toBeNull();
    expect(await keysIn()).toHaveLength(1);

    const some = await carryBacklog(log.sre, context, log.evidence, { most: 2 });
    expect(some).toMatchObject({ sent: 2, left: 2 });
    expect(await sizesIn()).toEqual((await keptNotes()).slice(0, 3));
    expect(await seal()).toMatchObject({ signed: false, carried: 2, left_to_carry: 0 });
    expect(await sizesIn()).toEqual(await keptNotes());
    expect(await seal()).toMatchObject({ carried: 0, left_to_carry: 0 });
    expect(await verify()).toMatchObject({ verdict: 'intact', doubts: [] });
  });

  test('what nobody with a known key has signed is not carried, and holds nothing up', async () => {
    await sealAlone(2);
    const notes = await keptNotes();
    const forged = (notes[1] ?? '').replace(/\n(— .* ).{8}/, '\n$1AAAAAAAA');
    await log.superuser.query(
      `insert into audit.checkpoints (origin, size, root, note, catalogue) select origin, size, root, $1, catalogue from audit.checkpoints order by id desc limit 1`,
      [forged],
    );
    await sealAlone(2);
    expect((await seal()).left_to_carry).toBe(0);
    const sent = await sizesIn();
    expect(sent).toHaveLength(4);
    expect(sent).not.toContain(forged);
    expect((await seal()).carried).toBe(0);
  });

  test('a run that was killed is gone on with: no hole, nothing twice, all of it locked', async () => {
    await sealAlone(40);
    const folder = mkdtempSync(join(tmpdir(), 'nestctl-heads-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const passfile = join(folder, 'pass');
    writeFileSync(passfile, `*:*:*:${log.operator.user}:${log.operator.password as string}\n`, {
      mode: 0o600,
    });
    const config = join(folder, 'contexts.toml');
    writeFileSync(
      config,
      [
        `[contexts.test]\nkind = "server"\nhost = "${log.operator.host}"\nport = ${log.operator.port}`,
        `database = "${log.operator.database}"\nuser = "${log.operator.user}"\npassfile = "${passfile}"`,
        `[contexts.test.object_store]\nendpoint = "http://127.0.0.1:${server.port}"\nbucket = "${bucket}"`,
        `region = "${server.region}"\npath_style = true\n[contexts.test.evidence]\nretain_days = 2\n`,
      ].join('\n'),
      { mode: 0o600 },
    );
    const env = {
      NESTCTL_HOME: log.home,
      NESTCTL_CONFIG: config,
      AWS_ACCESS_KEY_ID: server.keys.id,
      AWS_SECRET_ACCESS_KEY: server.keys.secret,
    };
    const notes = await keptNotes();
    let killed = 0;
    for (let step = 1; step <= 3; step += 1) {
      const child = startConsole(['audit', 'seal'], { env });
      child.stdin.end();
      const ended = finished(child);
      const before = (await keysIn()).length;
      // Once it is at it.
      for (let tries = 0; (await keysIn()).length < before + 3 && tries < 200; tries += 1) await sleep(20);
      child.kill('SIGKILL');
      if ((await ended).signal === 'SIGKILL') killed += 1;
      expect(await sizesIn()).toEqual(notes.slice(0, (await keysIn()).length));
    }
    expect(killed).toBeGreaterThan(0);
    const { code, stdout } = await runConsole(['audit', 'seal', '--json'], { env });
    expect([code, JSON.parse(stdout).result.left_to_carry]).toEqual([0, 0]);
    expect(await sizesIn()).toEqual(await keptNotes());
    const { Versions = [] } = await server.admin.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    expect(Versions).toHaveLength((await keptNotes()).length);
    for (const key of await keysIn()) {
      const { Retention } = await server.admin.send(
        new GetObjectRetentionCommand({ Bucket: bucket, Key: key }),
      );
      expect(Retention?.Mode, key).toBe('COMPLIANCE');
    }
    const verified = await runConsole(['audit', 'verify', '--json'], { env });
    expect([verified.code, JSON.parse(verified.stdout).result.verdict]).toEqual([0, 'intact']);
    writeFileSync(config, readFileSync(config, 'utf8').replace(`:${server.port}`, ':1'), { mode: 0o600 });
    const silent = await runConsole(['audit', 'verify', '--json'], { env });
    expect(silent.code).toBe(9);
  }, 300_000);
});
