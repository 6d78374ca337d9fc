import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadContexts, updateContexts } from '../../src/platform/config/context-file.js';
import { operatorTarget, ownerTarget, resolveContext } from '../../src/platform/config/contexts.js';
import { contextFilePath } from '../../src/platform/config/paths.js';
import type { ContextFile } from '../../src/platform/config/schema.js';

const LOCAL = {
  kind: 'local' as const,
  host: '127.0.0.1',
  port: 54817,
  database: 'nestsync',
  user: 'camille.roy',
  passfile: 'pgpass',
};
const TOML = `
[contexts.local]
kind = "local"
host = "127.0.0.1"
port = 54817
database = "nestsync"
user = "camille.roy"
`;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestctl-contexts-'));
  path = join(folder, 'config', 'nestctl', 'contexts.toml');
  vi.stubEnv('NESTCTL_CONFIG', path);
  vi.stubEnv('NESTCTL_CONTEXT', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function write(text: string, mode = 0o600): Promise<void> {
  await updateContexts(() => ({ contexts: {} }), path);
  await writeFile(path, text);
  await chmod(path, mode);
}

describe('the place of the file', () => {
  it('is NESTCTL_CONFIG, else below XDG_CONFIG_HOME, else below the home folder', () => {
    expect(contextFilePath({ NESTCTL_CONFIG: '/a/b.toml', XDG_CONFIG_HOME: '/x' })).toBe('/a/b.toml');
    expect(contextFilePath({ XDG_CONFIG_HOME: '/x' })).toBe('/x/nestctl/contexts.toml');
    expect(contextFilePath({ XDG_CONFIG_HOME: 'relative' })).toMatch(/\/\.config\/nestctl\/contexts\.toml$/);
    expect(contextFilePath({ XDG_CONFIG_HOME: 'relative' })).toMatch(/^\//);
  });
});

describe('the file', () => {
  it('is closed to others from its first byte, in a closed folder', async () => {
    await updateContexts(() => ({ current: 'local', contexts: { local: LOCAL } }), path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
    expect(await loadContexts(path)).toEqual({ current: 'local', contexts: { local: LOCAL } });
    expect(await readFile(path, 'utf8')).toMatch(/^# .*No passwords here/);
  });

  it('is empty where there is none', async () => {
    expect(await loadContexts(path)).toEqual({ contexts: {} });
  });

  it.each([0o640, 0o604, 0o666])('is refused with mode %o, with the command that closes it', async (mode) => {
    await write(TOML, mode);
    await expect(loadContexts(path)).rejects.toMatchObject({
      code: 'config_open',
      exitCode: 4,
      next: `chmod 600 ${path}`,
    });
  });

  it.runIf(process.getuid?.() === 0)(
    'is refused where somebody else owns it: it may name a command to run',
    async () => {
      await write(TOML);
      execFileSync('chown', ['12345', path]);
      await expect(loadContexts(path)).rejects.toMatchObject({ code: 'config_open', exitCode: 4 });
    },
  );

  it.each([
    ['a key nobody knows', `${TOML}pasword = "x"`, /contexts\.local\.pasword: unknown key/],
    ['a key at the top', `curent = "local"\n${TOML}`, /: curent: unknown key/],
    ['an owner without a user', `${TOML}[contexts.local.owner]\nport = 1`, /contexts\.local\.owner\.user: /],
    ['a port that is none', TOML.replace('54817', '70000'), /contexts\.local\.port: /],
    ['a port in quotes', TOML.replace('54817', '"54817"'), /contexts\.local\.port: /],
    ['a missing host', TOML.replace(/host.*/, ''), /contexts\.local\.host: /],
    ['a mode that is none', `${TOML}sslmode = "prefer"`, /contexts\.local\.sslmode: /],
    ['a current one that is not there', `current = "prod"\n${TOML}`, /current: there is no context "prod"/],
    ['a name for no one to type', '[contexts."a b"]', /contexts\.a b/],
    ['what is no TOML', `${TOML}\nport 1`, /line 9, column \d+: this is not valid TOML/],
    ['a key written twice', `${TOML}port = 2`, /line 8, column \d+: this is not valid TOML/],
  ])('names where it is wrong: %s', async (_, text, message) => {
    await write(text);
    await expect(loadContexts(path)).rejects.toMatchObject({
      code: 'config_invalid',
      exitCode: 1,
      message: expect.stringMatching(message),
    });
  });
});

describe('changing it', () => {
  const add =
    (name: string) =>
    (file: ContextFile): ContextFile => ({ ...file, contexts: { ...file.contexts, [name]: LOCAL } });

  it('loses nothing where many do it at once', async () => {
    const names = Array.from({ length: 20 }, (_, at) => `c${at}`);
    await Promise.all(names.map((name) => updateContexts(add(name), path)));
    expect(Object.keys((await loadContexts(path)).contexts).sort()).toEqual(names.sort());
  });

  it('leaves it as it was where the change throws or is not valid', async () => {
    await updateContexts(add('local'), path);
    const before = await readFile(path, 'utf8');
    await expect(
      updateContexts(() => {
        throw new Error('no');
      }, path),
    ).rejects.toThrow('no');
    await expect(updateContexts((file) => ({ ...file, current: 'nope' }), path)).rejects.toThrow(/nope/);
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(await readdir(join(path, '..'))).toEqual(['contexts.toml']);
  });

  it('goes on after a process that was killed while writing', async () => {
    await updateContexts(add('local'), path);
    await writeFile(`${path}.new`, 'half');
    execFileSync('touch', ['-d', '1 minute ago', `${path}.new`]);
    await updateContexts(add('other'), path);
    expect(Object.keys((await loadContexts(path)).contexts)).toEqual(['local', 'other']);
  });

  it('keeps a link a link', async () => {
    await updateContexts(add('local'), path);
    const link = join(folder, 'link.toml');
    await symlink(path, link);
    await updateContexts(add('other'), link);
    expect(await readFile(link, 'utf8')).toBe(await readFile(path, 'utf8'));
    expect(Object.keys((await loadContexts(path)).contexts)).toEqual(['local', 'other']);
  });
});

describe('the context worked on', () => {
  const two = `${TOML}${TOML.replaceAll('local', 'prod').replace('kind = "prod"', 'kind = "server"')}`;

  it('is the one asked for, then NESTCTL_CONTEXT, then the current one', async () => {
    await write(`current = "local"\n${two}`);
    expect((await resolveContext()).name).toBe('local');
    vi.stubEnv('NESTCTL_CONTEXT', 'prod');
    expect((await resolveContext()).name).toBe('prod');
    expect((await resolveContext('local')).name).toBe('local');
  });

  it('is the only one, but never a guess among several', async () => {
    await write(TOML);
    expect((await resolveContext()).name).toBe('local');
    await write(two);
    await expect(resolveContext()).rejects.toMatchObject({
      code: 'no_context',
      exitCode: 6,
      hint: expect.stringContaining('local, prod'),
    });
  });

  it('is not found by a name of every object', async () => {
    await write(TOML);
    for (const name of ['constructor', '__proto__', 'toString']) {
      await expect(resolveContext(name)).rejects.toMatchObject({ code: 'context_unknown', exitCode: 5 });
    }
  });
});

describe('a connection of a context', () => {
  const context = { ...LOCAL, name: 'local' };

  it('finds its files beside the context file', () => {
    expect(operatorTarget(context)).toMatchObject({
      user: 'camille.roy',
      passfile: join(path, '..', 'pgpass'),
      sslmode: 'disable',
    });
    expect(operatorTarget({ ...context, passfile: '/etc/pgpass' }).passfile).toBe('/etc/pgpass');
  });

  it('is verified in full over a network, and never in clear text', () => {
    expect(operatorTarget({ ...context, host: 'db.example.ca' }).sslmode).toBe('verify-full');
    expect(() => operatorTarget({ ...context, host: 'db.example.ca', sslmode: 'disable' })).toThrow(
      /clear text/,
    );
    expect(operatorTarget({ ...context, host: '/run/postgresql' }).sslmode).toBe('disable');
  });

  it('of the owner inherits the place and the passfile, not the command that answers for the operator', async () => {
    const owned = { ...context, password_command: ['false'], owner: { user: 'nestsync_owner', port: 6000 } };
    const owner = ownerTarget(owned);
    expect(owner).toMatchObject({
      host: '127.0.0.1',
      port: 6000,
      user: 'nestsync_owner',
      database: 'nestsync',
    });
    expect(owner.password).toBeUndefined();
    expect(owner.passfile).toBe(operatorTarget(owned).passfile);
    expect(() => ownerTarget(context)).toThrow(/no owner connection/);
  });

  it('takes its password from a command, run without a shell', async () => {
    const password = async (...command: string[]) => {
      const given = operatorTarget({ ...context, password_command: command }).password;
      return typeof given === 'function' ? await given() : given;
    };
    expect(await password('printf', '%s\nrest', 'a $(b) c')).toBe('a $(b) c');
    const failing = password('sh', '-c', 'echo the-secret >&2; exit 1');
    await expect(failing).rejects.toMatchObject({ code: 'password_command_failed' });
    await expect(failing).rejects.not.toThrow(/the-secret/);
  });
});
