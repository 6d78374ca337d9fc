import { execFile, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  type CreateBucketCommandInput,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { StoreSettings } from '../../src/platform/object-store/index.js';
import { packageRoot } from '../../src/platform/package-root.js';

const run = promisify(execFile);

export interface ObjectServer {
  readonly folder: string;
  readonly port: number;
  readonly httpsPort: number;
  /** PEM of the certificate on httpsPort. */
  readonly caFile: string;
  readonly region: string;
  readonly keys: { readonly id: string; readonly secret: string };
  /** A client past everything that is tested. */
  readonly admin: S3Client;
  makeBucket(name: string, options?: Partial<CreateBucketCommandInput>): Promise<void>;
  makeVersioned(name: string): Promise<void>;
  /** The lines of its access log that name the bucket. */
  requests(bucket: string): Promise<string[]>;
  /** One of Ceph's own programs, pointed at this cluster. */
  ceph(program: 'rados' | 'radosgw-admin', ...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a Ceph RADOS Gateway of the test's own; its buckets lie in `region`. `sts`: it gives temporary credentials. */
export async function startObjectServer({
  region = 'ca-central-1',
  sts = false,
} = {}): Promise<ObjectServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nestctl-store-'));
  const keys = { id: 'TESTACCESSKEY0000001', secret: 'testsecretkey0000000000000000000000000001' };
  const [monitor, port, httpsPort] = [await freePort(), await freePort(), await freePort()];
  const callOff = endWithThisProcess(folder);
  const stop = async () => {
    await end(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    callOff();
  };
  const script = join(packageRoot(), 'test', 'support', 'object-server.sh');
  try {
    const ports = [monitor, port, httpsPort].map(String);
    // The daemons keep the output open: it must not be a pipe that we wait for.
    await finished(
      spawn(script, [folder, ...ports, region, keys.id, keys.secret, String(sts)], { stdio: 'ignore' }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  const admin = new S3Client({
    region,
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: keys.id, secretAccessKey: keys.secret },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const makeBucket = async (name: string, options: Partial<CreateBucketCommandInput> = {}) => {
    await admin.send(new CreateBucketCommand({ Bucket: name, ...options }));
  };
  return {
    folder,
    port,
    httpsPort,
    caFile: join(folder, 'rgw.crt'),
    region,
    keys,
    admin,
    makeBucket,
    makeVersioned: async (name) => {
      await makeBucket(name);
      await admin.send(
        new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }),
      );
    },
    requests: async (bucket) =>
      (await readFile(join(folder, 'log', 'client.rgw.log'), 'utf8'))
        .split('\n')
        .filter((line) => line.includes(' beast: ') && line.includes(`/${bucket}`)),
    ceph: async (program, ...args) =>
      (await run(program, ['-c', join(folder, 'ceph.conf'), ...args], { maxBuffer: 1 << 28 })).stdout,
    stop: async () => {
      admin.destroy();
      await stop();
    },
  };
}

/** The settings of a store in a bucket of the server; its credentials are those of the environment. */
export function storeOn(
  server: Pick<ObjectServer, 'port' | 'region'>,
  bucket: string,
  more: Partial<StoreSettings> = {},
): StoreSettings {
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    bucket,
    region: server.region,
    prefix: '',
    pathStyle: true,
    credentials: { from: 'environment' },
    ...more,
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function finished(child: ReturnType<typeof spawn>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the object server did not start: exit ${code}`)),
    );
  });
}

/** Ends the daemons of this folder, by the ids they wrote there. */
async function end(folder: string): Promise<void> {
  const names = await readdir(join(folder, 'run')).catch(() => []);
  for (const name of names.filter((one) => one.endsWith('.pid'))) {
    const pid = Number((await readFile(join(folder, 'run', name), 'utf8').catch(() => '')).trim());
    try {
      // Nothing of theirs is kept: no need to let them finish.
      if (pid > 1) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}

/** Does the same when this process ends without, however it ends: the pipe that the little shell reads closes. */
function endWithThisProcess(folder: string): () => void {
  const script = `read _; for p in "$0"/run/*.pid; do kill -9 "$(cat "$p")"; done; sleep 1; rm -rf "$0"`;
  const shell = spawn('sh', ['-c', script, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.unref();
  (shell.stdin as Socket).unref();
  return () => shell.kill('SIGKILL');
}
