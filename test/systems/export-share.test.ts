import { appendFile, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Evidence, verifyEvidence } from '../../src/evidence/index.js';
import type { Context } from '../../src/platform/config/contexts.js';
import { exportStoreSettings, residencyPolicy } from '../../src/platform/config/services.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { openObjectStore } from '../../src/platform/object-store/index.js';
import {
  type EncryptTo,
  listPackages,
  measureResidency,
  planRevocation,
  planShare,
  planStep,
  privacyJobs,
  requireNoLocks,
  revokeShares,
  type SharedLink,
  sharePackage,
  takeStep,
  withShareStore,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { type ObjectServer, startObjectServer } from '../support/object-server.js';
import { operatorConsole } from '../support/operator-console.js';
import { asCompliance, writeExport } from '../support/packages.js';
import { asService, lookEverywhere, makeFamily } from '../support/small-world.js';

const FAST = { attempts: 3, firstWait: 20, idle: 1_500 };
const WHY = ['--reason', 'her access request', '--ticket', 'DSR-1'];
const ENCRYPTED = { encryption: 'aws:kms', kms_key: 'testkey-1' } as const;

let database: TestDatabase;
let officer: ConnectionTarget;
let server: ObjectServer;
let proxy: FaultProxy;
let buckets = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  officer = await database.makeOperator('compliance');
  server = await startObjectServer({ sts: true });
  proxy = await startFaultProxy(server.port);
});
afterAll(async () => {
  await proxy?.close();
  await server?.stop();
  await database?.drop();
});
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.keys.id);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.keys.secret);
  proxy.fault = undefined;
  proxy.seen.length = 0;
});
afterEach(() => vi.unstubAllEnvs());

type StoreSection = NonNullable<Context['export_store']>;

function contextWith(bucket: string, more: Partial<StoreSection> = {}): Context {
  const { host, port, database: name, user } = officer;
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  const store = { endpoint, bucket, region: server.region, path_style: true, ...ENCRYPTED, ...more };
  return { ...{ name: 'test', kind: 'server', host, port, database: name, user }, export_store: store };
}

interface World {
  readonly session: Session;
  readonly evidence: Evidence;
  readonly file: string;
  readonly pack: string;
  readonly request: string;
  readonly person: string;
  readonly bucket: string;
  readonly context: Context;
  share(context?: Context, seconds?: number): Promise<SharedLink>;
  revoke(context?: Context): ReturnType<typeof revokeShares>;
  states(): Promise<(string | undefined)[]>;
  /** Versions and delete markers in the bucket, past everything that is tested. */
  inBucket(): Promise<string[]>;
}

/** A package of somebody's and an empty bucket with versions. `messages`: so many that nothing compresses. */
async function withPackage(
  work: (world: World) => Promise<void>,
  { messages = 0, encryptTo }: { messages?: number; encryptTo?: EncryptTo } = {},
): Promise<void> {
  const { core } = await makeFamily(database, { name: 'Tremblay' });
  if (messages > 0)
    await asService(database, (service) =>
      service.query(
        `insert into public.notification_logs (user_id, notification_type, channel, title, message)
         select $1, 'reminder', 'push', 'x', (select string_agg(md5(random()::text || n || i), '') from generate_series(1, 300) i)
         from generate_series(1, $2) n`,
        [core.id, messages],
      ),
    );
  const evidence = await newEvidence();
  const file = join(temporaryFolder(), 'package.zip');
  buckets += 1;
  const bucket = `shares-${buckets}`;
  await server.makeVersioned(bucket);
  const context = contextWith(bucket);
  await asCompliance(officer, core.id, async (session) => {
    const { id: pack, request } = await writeExport(session, evidence, core.id, file, 'access', encryptTo);
    await work({
      ...{ session, evidence, file, pack, request, bucket, context, person: core.id },
      share: (used = context, seconds = 3_600) =>
        withShareStore(
          used,
          async (store) => {
            await requireNoLocks(store, used);
            const plan = await planShare(session, evidence, store, { of: request, file, seconds });
            return await sharePackage(session, evidence, store, plan);
          },
          FAST,
        ),
      revoke: (used = context) =>
        withShareStore(
          used,
          async (store) => revokeShares(session, evidence, store, await planRevocation(session, store, pack)),
          FAST,
        ),
      states: async () =>
        (await listPackages(session, { of: pack })).flatMap(({ shares }) => shares.map(({ state }) => state)),
      inBucket: async () => {
        const direct = contextWith(bucket, { endpoint: `http://127.0.0.1:${server.port}` });
        const settings = exportStoreSettings(direct);
        if (settings === undefined) throw new Error('the context names no store');
        const store = await openObjectStore(settings, residencyPolicy(direct), FAST);
        const found: string[] = [];
        for await (const { key, marker } of store.versions()) found.push(marker ? `${key} (marker)` : key);
        store.close();
        return found;
      },
    });
  });
}

describe('a share', () => {
  it('gives a link that fetches the very bytes, and once revoked fetches nothing; no version is left', async () => {
    await withPackage(async ({ evidence, file, pack, bucket, share, revoke, states, inBucket }) => {
      const shared = await share();
      const answer = await fetch(shared.link);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-disposition')).toMatch(
        /^attachment; filename="REQ-\d{4}-\d{4}\.zip"$/,
      );
      const fetched = Buffer.from(await answer.arrayBuffer());
      expect(fetched.equals(await readFile(file))).toBe(true);
      expect(shared).toMatchObject({ encryption: 'aws:kms', region: 'ca-central-1', size: fetched.length });
      expect(await states()).toEqual(['shared']);
      await expect(share()).rejects.toMatchObject({ code: 'shared_already', exitCode: 6 });

      // What somebody else did to the object goes too.
      const [key = ''] = await inBucket();
      await server.admin.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'again' }));
      await server.admin.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
      expect(await inBucket()).toHaveLength(3);
      expect(await revoke()).toMatchObject([{ package: pack, removed_versions: 2 }]);
      expect(await inBucket()).toEqual([]);
      const after = await fetch(shared.link);
      expect([after.status, (await after.text()).includes('PK')]).toEqual([404, false]);
      expect(await states()).toEqual(['revoked']);
      expect(await revoke()).toEqual([]);

      // Another share is another object: the old link stays dead.
      const again = await share();
      expect((await fetch(again.link)).status).toBe(200);
      expect((await fetch(shared.link)).status).toBe(404);
      const chains = await verifyEvidence(evidence);
      expect(chains.flatMap(({ faults, doubts }) => [...faults, ...doubts])).toEqual([]);
      expect(chains.find(({ chain }) => chain === 'exports')?.size).toBe(4);
    });
  });

  it('of an encrypted package is of the very file that was recorded, never of what it holds nor of another encryption', async () => {
    const identity = await generateX25519Identity();
    const encryptTo = { recipients: [await identityToRecipient(identity)] };
    await withPackage(
      async ({ session, evidence, file, pack, request, context, share, revoke, states, inBucket }) => {
        const plan = (of: string) =>
          withShareStore(
            context,
            (store) => planShare(session, evidence, store, { of: request, file: of, seconds: 60 }),
            FAST,
          );
        const decrypter = new Decrypter();
        decrypter.addIdentity(identity);
        const encrypted = await readFile(file);
        const clear = await decrypter.decrypt(encrypted);
        const again = new Encrypter();
        again.addRecipient(encryptTo.recipients[0] as string);
        const changed = Buffer.from(encrypted);
        changed[changed.length - 1] = (changed[changed.length - 1] as number) ^ 1;
        const others = { 'what it holds': clear, 'another encryption': await again.encrypt(clear), changed };
        for (const [name, bytes] of Object.entries(others)) {
          await writeFile(`${file}.other`, bytes);
          await expect(plan(`${file}.other`), name).rejects.toMatchObject({ code: 'not_the_package' });
        }
        expect(await inBucket()).toEqual([]);

        const shared = await share();
        const answer = await fetch(shared.link);
        expect(answer.headers.get('content-disposition')).toMatch(
          /^attachment; filename="REQ-\d{4}-\d{4}\.zip\.age"$/,
        );
        expect(Buffer.from(await answer.arrayBuffer()).equals(encrypted)).toBe(true);
        expect(await states()).toEqual(['shared']);
        expect(await revoke()).toMatchObject([{ package: pack, removed_versions: 1 }]);
      },
      { encryptTo },
    );
  });

  it('leaves its link nowhere: not in the database, nor in the evidence', async () => {
    await withPackage(async ({ evidence, share }) => {
      const { link } = await share();
      const signature = new URL(link).searchParams.get('X-Amz-Signature') ?? '';
      expect(signature).toMatch(/^[0-9a-f]{64}$/);
      const { looked_at, found } = await lookEverywhere(database, signature, 'X-Amz-');
      expect(found).toEqual([]);
      expect(looked_at).toBeGreaterThan(100);
      const { numbers } = await evidence.store.list('exports');
      for (const number of numbers) {
        const envelope = JSON.parse((await evidence.store.read('exports', number))?.toString() ?? '{}');
        const said = Buffer.from(envelope.payload, 'base64').toString();
        expect(said).not.toContain(signature);
        expect(said).not.toContain('X-Amz-');
      }
      expect(numbers).toHaveLength(2);
    });
  });

  it('takes the very file that was recorded, and no other', async () => {
    await withPackage(async (one) => {
      await withPackage(async (other) => {
        const whole = await readFile(one.file);
        const bad = async (bytes: Buffer | string) => {
          await writeFile(one.file, bytes);
          await expect(one.share()).rejects.toMatchObject({ code: 'not_the_package', exitCode: 6 });
        };
        // Signed with another console's key, then signed by the same and recorded for somebody else.
        await bad(await readFile(other.file));
        const changed = Buffer.from(whole);
        changed[200] = (changed[200] as number) ^ 1;
        await bad(changed);
        await bad(Buffer.concat([whole, Buffer.from('x')]));
        await bad(whole.subarray(0, whole.length - 40));
        await bad('plain text');
        const theirs = join(temporaryFolder(), 'theirs.zip');
        const { core } = await makeFamily(database, { name: 'Roy' });
        await asCompliance(officer, core.id, (session) =>
          writeExport(session, one.evidence, core.id, theirs),
        );
        await copyFile(theirs, one.file);
        await expect(one.share()).rejects.toMatchObject({ code: 'not_the_package' });
        expect([await one.states(), await one.inBucket()]).toEqual([[], []]);
        await writeFile(one.file, whole);
        await one.share();
      });
    });
  });

  it('of a request that was withdrawn is refused, and can still be revoked', async () => {
    await withPackage(async ({ session, request, share, revoke, states, inBucket }) => {
      await share();
      await takeStep(session, await planStep(session, request, () => ({ verb: 'withdraw' })));
      expect(await revoke()).toHaveLength(1);
      await expect(share()).rejects.toMatchObject({ code: 'request_ended', exitCode: 6 });
      expect([await states(), await inBucket()]).toEqual([['revoked'], []]);
    });
  });
});

it('where packages lie is what the store says, or unknown', async () => {
  await server.makeBucket('measured');
  const context = contextWith('measured');
  const measured = async (used: Context) => {
    const [database, store, ...more] = await measureResidency(used);
    expect([database, more]).toEqual([
      { place: 'database', region: null, allowed: null, how: null, why: 'host_tells_nothing' },
      [],
    ]);
    return store;
  };
  const told = { place: 'package_store', region: 'ca-central-1', how: 'bucket_head', why: null };
  expect(await measured(context)).toEqual({ ...told, allowed: true });
  // What the context says of it counts for nothing.
  const elsewhere = { ...(context.export_store as StoreSection), region: 'ca-west-1' };
  expect(await measured({ ...context, export_store: elsewhere })).toEqual({ ...told, allowed: true });
  expect(await measured({ ...context, residency: { regions: ['ca-west-1'] } })).toEqual({
    ...told,
    allowed: false,
  });
  const unknown = { place: 'package_store', region: null, allowed: null, how: null };
  proxy.fault = () => ({ status: 403, code: 'AccessDenied' });
  expect(await measured(context)).toEqual({ ...unknown, why: 'store_does_not_tell' });
  proxy.fault = () => ({ status: 503, code: 'SlowDown' });
  expect(await measured(context)).toEqual({ ...unknown, why: 'store_does_not_answer' });
  proxy.fault = undefined;
  const gone = { ...(context.export_store as StoreSection), endpoint: 'http://127.0.0.1:1' };
  expect(await measured({ ...context, export_store: gone })).toEqual({
    ...unknown,
    why: 'store_does_not_answer',
  });
});

describe('nothing is reported as shared', () => {
  it('where the bucket has Object Lock, is gone, abroad by its region, or does not encrypt', async () => {
    await withPackage(async ({ context, bucket, share, states, inBucket }) => {
      const store = context.export_store as StoreSection;
      await server.makeBucket(`${bucket}-locked`, { ObjectLockEnabledForBucket: true });
      const refused: readonly (readonly [Partial<StoreSection>, string, number])[] = [
        [{ bucket: `${bucket}-locked` }, 'bucket_locks', 6],
        [{ bucket: `${bucket}-gone` }, 'bucket_unknown', 5],
        [{ region: 'ca-west-1' }, 'store_region_wrong', 6],
      ];
      for (const [more, code, exitCode] of refused)
        await expect(share({ ...context, export_store: { ...store, ...more } }), code).rejects.toMatchObject({
          code,
          exitCode,
        });
      await expect(share({ ...context, residency: { regions: ['ca-west-1'] } })).rejects.toMatchObject({
        code: 'residency_refused',
        exitCode: 4,
      });
      proxy.fault = (line) =>
        /\?object-lock/.test(line) ? { status: 403, code: 'AccessDenied' } : undefined;
      await expect(share()).rejects.toMatchObject({ code: 'bucket_locks_unknown', exitCode: 4 });
      proxy.fault = undefined;
      expect(await states()).toEqual([]);
      expect(proxy.seen.filter((line) => line.startsWith('PUT'))).toEqual([]);

      const { encryption: _, kms_key: __, ...plain } = store;
      await expect(share({ ...context, export_store: plain })).rejects.toMatchObject({
        code: 'not_encrypted',
        exitCode: 6,
      });
      expect([await states(), await inBucket()]).toEqual([['begun'], []]);
      // Once the context says with what, the same share is gone on with.
      await share();
      expect(await states()).toEqual(['shared']);
    });
  });

  it('where credentials have expired or are refused', async () => {
    await withPackage(async ({ context, share, states, inBucket }) => {
      const printed = JSON.stringify({
        Version: 1,
        AccessKeyId: server.keys.id,
        SecretAccessKey: server.keys.secret,
        Expiration: '2020-01-01T00:00:00Z',
      });
      const store = context.export_store as StoreSection;
      await expect(
        share({ ...context, export_store: { ...store, credentials_command: ['echo', printed] } }),
      ).rejects.toMatchObject({ code: 'store_credentials_expired', exitCode: 4 });
      // Midway, once the share was begun.
      proxy.fault = (line) => (line.startsWith('PUT') ? { status: 400, code: 'ExpiredToken' } : undefined);
      await expect(share()).rejects.toMatchObject({ code: 'store_credentials_expired' });
      expect([await states(), await inBucket()]).toEqual([['begun'], []]);
    });
  });

  it.each([
    ['the store fails again and again', { status: 500, code: 'InternalError' }, 'store_failing'],
    ['the store does not answer', 'hang', 'store_unreachable'],
    ['the connection is reset', 'reset', /^(connection_lost|store_unreachable)$/],
  ] as const)('where %s; the next try ends it', async (_, fault, code) => {
    await withPackage(async ({ file, share, states }) => {
      proxy.fault = (line) => (line.startsWith('PUT') ? fault : undefined);
      await expect(share()).rejects.toMatchObject({ code: expect.stringMatching(code), exitCode: 1 });
      expect(await states()).toEqual(['begun']);
      let failed = 0;
      proxy.fault = (line) => (line.startsWith('PUT') && failed++ < 1 ? fault : undefined);
      const { link } = await share();
      expect(failed).toBeGreaterThan(1);
      const fetched = Buffer.from(await (await fetch(link)).arrayBuffer());
      expect(fetched.equals(await readFile(file))).toBe(true);
      expect(await states()).toEqual(['shared']);
    });
  });

  it('where what was read back is damaged, the first time or the second; nothing of it stays', async () => {
    await withPackage(async ({ share, states, inBucket }) => {
      for (const damaged of [0, 1]) {
        let gets = 0;
        proxy.fault = (line) => (/^GET \/[^?]*\.zip/.test(line) && gets++ === damaged ? 'flip' : undefined);
        await expect(share()).rejects.toMatchObject({ code: 'checksum_mismatch', exitCode: 1 });
        expect(gets).toBe(damaged + 1);
        proxy.fault = undefined;
        expect([await states(), (await inBucket()).filter((key) => !key.includes('marker'))]).toEqual([
          ['begun'],
          [],
        ]);
      }
    });
  });

  it('where the upload was cut at half: the next try goes on, and revoking instead leaves no part', async () => {
    await withPackage(
      async ({ bucket, file, share, revoke, states, inBucket }) => {
        const size = (await readFile(file)).length;
        expect(size).toBeGreaterThan(16 * 1024 * 1024);
        const cut = async () => {
          proxy.fault = (line) =>
            /^PUT .*partNumber=[2-9]/.test(line) ? { status: 503, code: 'SlowDown' } : undefined;
          await expect(share()).rejects.toMatchObject({ code: 'store_failing' });
          proxy.fault = undefined;
          expect([await states().then(([first]) => first), await inBucket()]).toEqual(['begun', []]);
        };
        const unfinished = async () =>
          (await server.admin.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;
        await cut();
        expect(await unfinished()).toBe(1);
        expect(await revoke()).toMatchObject([{ removed_versions: 0 }]);
        expect([await unfinished(), await states()]).toEqual([0, ['revoked']]);

        await cut();
        const shared = await share();
        expect(shared.size).toBe(size);
        const fetched = Buffer.from(await (await fetch(shared.link)).arrayBuffer());
        expect(fetched.equals(await readFile(file))).toBe(true);
        expect([await unfinished(), await states()]).toEqual([0, ['shared', 'revoked']]);
      },
      { messages: 2_600 },
    );
  });
});

describe('nothing is reported as revoked', () => {
  it('where Object Lock refuses the deletion: says what remains', async () => {
    await withPackage(async ({ context, bucket, share, revoke, states }) => {
      const locked = `${bucket}-locked`;
      await server.makeBucket(locked, { ObjectLockEnabledForBucket: true });
      const used = {
        ...context,
        export_store: { ...(context.export_store as StoreSection), bucket: locked },
      };
      // As where the lock was put on the bucket after the package was shared.
      const { PutObjectLockConfigurationCommand } = await import('@aws-sdk/client-s3');
      await server.admin.send(
        new PutObjectLockConfigurationCommand({
          Bucket: locked,
          ObjectLockConfiguration: {
            ObjectLockEnabled: 'Enabled',
            Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } },
          },
        }),
      );
      proxy.fault = (line) =>
        /\?object-lock/.test(line)
          ? { status: 404, code: 'ObjectLockConfigurationNotFoundError' }
          : undefined;
      const { link } = await share(used);
      proxy.fault = undefined;
      await expect(revoke(used)).rejects.toMatchObject({
        code: 'object_locked',
        exitCode: 4,
        message: expect.stringMatching(/^Not revoked: one version of the package remain.* link works until /),
      });
      expect(await states()).toEqual(['shared']);
      expect((await fetch(link)).status).toBe(200);
    });
  });

  it('where the store says that it deleted and did not, or fails, or is another one', async () => {
    await withPackage(async ({ context, share, revoke, states, inBucket }) => {
      const { link } = await share();
      proxy.fault = (line) => (line.startsWith('DELETE') ? { status: 204 } : undefined);
      await expect(revoke()).rejects.toMatchObject({ code: 'object_left', exitCode: 1 });
      proxy.fault = (line) =>
        line.startsWith('DELETE') ? { status: 500, code: 'InternalError' } : undefined;
      await expect(revoke()).rejects.toMatchObject({ code: 'store_failing' });
      proxy.fault = (line) => (/[?&]versions/.test(line) ? { status: 403, code: 'AccessDenied' } : undefined);
      await expect(revoke()).rejects.toMatchObject({ code: 'store_denied' });
      proxy.fault = undefined;
      await server.makeVersioned('elsewhere');
      const elsewhere = { ...(context.export_store as StoreSection), bucket: 'elsewhere' };
      await expect(revoke({ ...context, export_store: elsewhere })).rejects.toMatchObject({
        code: 'share_elsewhere',
        exitCode: 6,
      });
      await expect(revoke({ ...context, name: 'renamed' })).rejects.toMatchObject({
        code: 'share_elsewhere',
      });
      expect([await states(), (await inBucket()).length]).toEqual([['shared'], 1]);
      expect((await fetch(link)).status).toBe(200);
      // The answer to the deletion is lost: the next try finds nothing and says so.
      let lost = 0;
      proxy.fault = (line) => (line.startsWith('DELETE') && lost++ === 0 ? 'lose_answer' : undefined);
      expect(await revoke()).toHaveLength(1);
      expect([await states(), await inBucket()]).toEqual([['revoked'], []]);
    });
  });
});

describe('maintenance', () => {
  const job = privacyJobs.find(({ name }) => name === 'export-shares');
  const maintain = async (context: Context) => {
    const target = await database.makeOperator('sre');
    const session = await openSession(target, { duty: 'sre', reason: 'what must be done daily' });
    try {
      await expect(session.query('select * from privacy.export_shares')).rejects.toMatchObject({
        kind: 'not_allowed',
      });
      return await job?.run?.({ session, context, signal: new AbortController().signal });
    } finally {
      await session.close();
    }
  };

  it('deletes what was shared by a link that is over, and that alone', async () => {
    await withPackage(async ({ context, evidence, share, revoke, states, inBucket }) => {
      const { link } = await share(context, 1);
      await sleep(1_200);
      expect(await states()).toEqual(['expired']);
      expect((await inBucket()).length).toBe(1);
      const elsewhere = await maintain({ ...context, name: 'renamed' });
      expect(elsewhere).toMatchObject({ outcome: 'finding', counts: { due: 1, left: 1 } });
      const { export_store: _, ...storeless } = context;
      expect(await maintain(storeless)).toMatchObject({ outcome: 'finding', counts: { due: 1, left: 1 } });
      expect((await inBucket()).length).toBe(1);
      expect(await maintain(context)).toMatchObject({ outcome: 'done', counts: { due: 1, left: 0 } });
      expect([await states(), await inBucket()]).toEqual([['revoked'], []]);
      expect((await fetch(link)).status).not.toBe(200);
      const chains = await verifyEvidence(evidence);
      expect(chains.find(({ chain }) => chain === 'exports')).toMatchObject({ size: 3, faults: [] });

      const live = await share();
      expect(await maintain(context)).toMatchObject({ outcome: 'done', counts: { due: 0 } });
      expect((await fetch(live.link)).status).toBe(200);
      await revoke();
    });
  });

  it('may record no share as deleted whose link works, nor may compliance use its way', async () => {
    await withPackage(async ({ session, share, revoke }) => {
      const live = await share();
      const record = [`select ops.record_expired_share($1, 1, 'exports/9')`, [live.share]] as const;
      await expect(session.query(...record)).rejects.toMatchObject({ kind: 'not_allowed' });
      const sre = await openSession(await database.makeOperator('sre'), { duty: 'sre' });
      try {
        await expect(sre.query(...record)).rejects.toMatchObject({ code: 'conflict' });
      } finally {
        await sre.close();
      }
      await revoke();
    });
  });
});

it('by the console: shared, listed, fetched, revoked; the link is on stdout once and in no log', async () => {
  const me = await operatorConsole(database, { operator: officer, owner: false });
  buckets += 1;
  const bucket = `shares-${buckets}`;
  await server.makeVersioned(bucket);
  await appendFile(
    me.env.NESTCTL_CONFIG as string,
    `\n[contexts.test.export_store]\nendpoint = "http://127.0.0.1:${server.port}"\nbucket = "${bucket}"\n` +
      `region = "ca-central-1"\npath_style = true\nencryption = "aws:kms"\nkms_key = "testkey-1"\n`,
  );
  const env = { AWS_ACCESS_KEY_ID: server.keys.id, AWS_SECRET_ACCESS_KEY: server.keys.secret };
  const json = async (...args: string[]) => await me.json(args, { env });
  expect((await json('evidence', 'key', 'create', ...WHY)).code).toBe(0);
  const { core } = await makeFamily(database, { name: 'Gagnon' });
  const asked = ['--kind', 'access', '--channel', 'email', '--asks', 'all you hold', '--user', core.id];
  const opened = await json('request', 'open', ...asked, ...WHY, '--yes');
  const number = opened.body.result.request.number as string;
  await json('request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes');
  const file = join(temporaryFolder(), 'package.zip');
  const created = await json('export', 'create', number, '--file', file, ...WHY, '--yes');
  const pack = created.body.result.id as string;

  expect((await json('export', 'list', number, ...WHY)).body.result.packages).toMatchObject([
    { id: pack, shares: [], downloads: null },
  ]);
  const words = ['export', 'share', number, '--file', file, '--expires', '2h', ...WHY];
  expect((await json(...words, '--expires', '8d')).code).toBe(2);
  const dry = await json(...words, '--dry-run');
  expect([dry.code, dry.body.result.plan.region]).toEqual([0, 'ca-central-1']);
  expect((await json(...words)).code).toBe(7);
  const { stdout, stderr, code } = await me.run([...words, '--yes', '--verbose'], { env });
  const [link = ''] = /http:\S+X-Amz-Signature=\S+/.exec(stdout) ?? [];
  expect([code, stdout.split('X-Amz-Signature').length, stderr.includes('X-Amz-')]).toEqual([0, 2, false]);
  expect(new URL(link).searchParams.get('X-Amz-Expires')).toBe('7200');
  expect(Buffer.from(await (await fetch(link)).arrayBuffer()).equals(await readFile(file))).toBe(true);
  const listed = await json('export', 'list', pack, ...WHY);
  expect(listed.body.result.packages).toMatchObject([
    { id: pack, downloads: 'unknown', shares: [{ state: 'shared', region: 'ca-central-1' }] },
  ]);
  expect(JSON.stringify(listed.body)).not.toContain('X-Amz-');

  const revoke = ['export', 'revoke', pack, ...WHY];
  expect((await json(...revoke)).code).toBe(7);
  const revoked = await json(...revoke, '--yes');
  expect(revoked).toMatchObject({ code: 0, body: { result: { revoked: [{ removed_versions: 1 }] } } });
  expect(revoked.body.meta.events.tables.map((one: { table: string }) => one.table)).toContain(
    'privacy.export_shares',
  );
  expect((await fetch(link)).status).toBe(404);
  const after = await me.run(['export', 'list', number, ...WHY], { env });
  expect([after.code, after.stdout]).toEqual([0, expect.stringContaining('revoked')]);
  const log = await readFile(join(me.env.NESTCTL_HOME as string, 'log', 'nestctl.log'), 'utf8').catch(
    () => '',
  );
  expect(log).not.toContain('X-Amz-');
});
