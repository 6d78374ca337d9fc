import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Finished, runConsole, runOnTerminal } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let folder: string;
let path: string;
let database: TestDatabase;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nestctl-contexts-'));
  path = join(folder, 'config', 'contexts.toml');
  database = await createTestDatabase();
});
afterAll(async () => {
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await rm(dirname(path), { recursive: true, force: true });
});

const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runConsole(['context', ...args], { env: { NESTCTL_CONFIG: path, HOME: folder, ...env } });
const json = (finished: Finished) => JSON.parse(finished.stdout);
const text = () => readFile(path, 'utf8');

async function write(content: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, content);
  await chmod(path, mode);
}
const block = (name: string, more = '') =>
  `# about ${name}\n[contexts.${name}]\nkind = "server"\nhost = "db.example.ca"\ndatabase = "nestsync"\nuser = "u"\n${more}\n`;
const ADD = [
  'add',
  'production',
  '--host',
  'db.example.ca',
  '--database',
  'nestsync',
  '--user',
  'camille.roy',
];

describe('context add', () => {
  it('writes all parts of a context, closed to others, and keeps what was there with its comments', async () => {
    await write(`# mine\ncurrent = "old"\n\n${block('old')}`);
    const added = await run([
      ...[...ADD, '--json', '--port', '6432', '--password-command', 'pass show nestsync'],
      ...[
        '--owner-user',
        'nestsync_owner',
        '--owner-password-env',
        'OWNER_PW',
        '--replica-host',
        'r.example.ca',
      ],
      ...['--store-bucket', 'nestsync-archive', '--store-region', 'ca-central-1', '--store-prefix', 'a/b/'],
      ...['--store-endpoint', 'https://s3.example.ca', '--store-path-style', '--store-profile', 'backup'],
      ...['--backup-engine', 'pgbackrest', '--backup-stanza', 'main', '--signing-key', 'key.pem'],
      ...['--mail-host', 'smtp.example.ca', '--mail-tls', 'implicit', '--mail-from', 'vie-privee@example.ca'],
      ...['--mail-user', 'nestsync', '--mail-password-env', 'MAIL_PW'],
      ...['--region', 'ca-central-1', '--region', 'ca-west-1'],
    ]);
    expect(added.code, added.stdout).toBe(0);
    expect(json(added).result).toEqual({ name: 'production', current: false });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    for (const line of ['# mine', '# about old', 'current = "old"']) expect(await text()).toContain(line);

    const shown = json(await run(['show', 'production', '--json'])).result;
    expect(shown).toMatchObject({
      port: 6432,
      owner: 'nestsync_owner',
      sslmode: 'verify-full',
      password_from: 'pass',
      owner_password_from: 'OWNER_PW',
      replica: 'r.example.ca:6432',
      object_store: {
        endpoint: 'https://s3.example.ca',
        bucket: 'nestsync-archive',
        region: 'ca-central-1',
        prefix: 'a/b/',
        path_style: true,
        credentials_from: `profile backup of ${join(folder, '.aws', 'credentials')}`,
      },
      mail: { host: 'smtp.example.ca', port: 465, tls: 'implicit', password_from: 'MAIL_PW' },
      backup: 'pgbackrest',
      signing_key: join(dirname(path), 'key.pem'),
      residency: ['ca-central-1', 'ca-west-1'],
    });
    const plain = await run(['show', 'production']);
    for (const part of ['nestsync-archive/a/b/', 'pgbackrest', 'key.pem', 'OWNER_PW']) {
      expect(plain.stdout).toContain(part);
    }
  });

  it('makes the first one current, and another with --use', async () => {
    expect(json(await run([...ADD, '--json'])).result.current).toBe(true);
    const second = await run(['add', 'second', ...ADD.slice(2), '--use']);
    expect(second.stdout).toContain('second was added and is the current context');
    expect(await text()).toMatch(/^current = "second"$/m);
  });

  it('names every missing flag where there is no terminal, and asks for it on one', async () => {
    const none = await run(['add', 'x', '--user', 'u', '--json']);
    expect(none.code).toBe(7);
    expect(json(none).error).toMatchObject({
      code: 'flag_missing',
      message: expect.stringContaining('--host, --database'),
    });
    const asked = await runOnTerminal(['context', 'add', 'x', '--user', 'u'], {
      env: { NESTCTL_CONFIG: path, NO_COLOR: '1' },
      type: [
        { at: 'host (', keys: 'db.example.ca\r' },
        { at: 'database (', keys: 'nestsync\r' },
      ],
    });
    expect(asked.code, asked.stdout).toBe(0);
    expect(await text()).toContain('host = "db.example.ca"');
  });

  it.each([
    ['a URL for a host', ['--host', 'postgres://u:planted@db.example.ca/x'], 'password_given'],
    [
      'a URL with a password for an endpoint',
      [
        '--store-bucket',
        'bkt',
        '--store-region',
        'ca-central-1',
        '--store-endpoint',
        'https://u:planted@s3.example.ca',
      ],
      'password_given',
    ],
    ['half an object store', ['--store-bucket', 'bkt'], 'missing_flag'],
    ['half a mail server', ['--mail-host', 'smtp.example.ca'], 'missing_flag'],
    ['half a backup engine', ['--backup-engine', 'pgbackrest'], 'missing_flag'],
    ['two sources of a password', ['--passfile', 'a', '--password-env', 'B'], 'invalid_context'],
    ['a name that is none', [], 'invalid_name'],
  ])('refuses %s, writes nothing and repeats no secret', async (_, more, code) => {
    const base = more[0] === '--host' ? [...ADD.slice(0, 2), ...ADD.slice(4)] : ADD;
    const args = code === 'invalid_name' ? ['add', 'no name', ...ADD.slice(2)] : [...base, ...more];
    for (const extra of [['--json'], ['--verbose']]) {
      const refused = await run([...args, ...extra]);
      expect(refused.code).toBe(2);
      expect(refused.stdout + refused.stderr).not.toContain('planted');
      if (extra[0] === '--json') expect(json(refused).error.code).toBe(code);
    }
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('replaces nothing, and nothing at all with --dry-run', async () => {
    expect((await run([...ADD, '--dry-run'])).stdout).toContain('Dry run');
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await run(ADD);
    const before = await text();
    const again = await run([...ADD, '--json']);
    expect([again.code, json(again).error.code]).toEqual([6, 'context_exists']);
    expect(await text()).toBe(before);
  });
});

describe('context use', () => {
  it('chooses, says what it was before, and warns where the environment overrules', async () => {
    await write(`# top\ncurrent = "one"\n${block('one')}${block('two')}`);
    expect(json(await run(['use', 'two', '--json'])).result).toEqual({ current: 'two', before: 'one' });
    expect(await text()).toBe(
      `# top\ncurrent = "two"\n${block('one')}${block('two')}`.trimEnd().concat('\n'),
    );
    const overruled = await run(['use', 'one'], { NESTCTL_CONTEXT: 'two' });
    expect(overruled.stderr).toContain('still work on two');
    const unknown = await run(['use', 'three', '--json']);
    expect([unknown.code, json(unknown).error.code]).toEqual([5, 'context_unknown']);
  });
});

describe('context remove', () => {
  it('asks for consent, and for the name of the current one', async () => {
    await write(`current = "one"\n${block('one')}${block('two')}`);
    expect((await run(['remove', 'two'])).code).toBe(7);
    expect((await run(['remove', 'two', '--dry-run'])).stdout).toContain('db.example.ca');
    expect(await text()).toContain('contexts.two');
    const removed = await run(['remove', 'two', '--yes', '--json']);
    expect(json(removed).result).toEqual({ removed: 'two', was_current: false });
    expect(await text()).not.toContain('two');

    const severe = await run(['remove', 'one', '--yes', '--json']);
    expect([severe.code, json(severe).error.code]).toEqual([7, 'consent_missing']);
    expect((await run(['remove', 'one', '--confirm', 'two'])).code).toBe(2);
    const typed = await runOnTerminal(['context', 'remove', 'one'], {
      env: { NESTCTL_CONFIG: path },
      type: [{ at: 'Type one', keys: 'one\r' }],
    });
    expect(typed.code, typed.stdout).toBe(0);
    expect(json(await run(['list', '--json'])).result.contexts).toEqual([]);
  });
});

describe('a bad context file', () => {
  it.each([
    ['open to others', block('one'), 0o644, 4, 'config_open'],
    ['with a password in it', block('one', 'password = "planted"'), 0o600, 1, 'config_invalid'],
    [
      'with a URL for a host',
      block('one').replace('db.example.ca', 'postgres://u:planted@h/d'),
      0o600,
      1,
      'config_invalid',
    ],
    [
      'with a secret key in it',
      block('one', '[contexts.one.object_store]\nsecret_access_key = "planted"'),
      0o600,
      1,
      'config_invalid',
    ],
    ['that is no TOML', `${block('one')}planted = `, 0o600, 1, 'config_invalid'],
    [
      'with an unknown engine',
      block('one', '[contexts.one.backup]\nengine = "tar"'),
      0o600,
      1,
      'config_invalid',
    ],
  ])('%s is refused by every command, without a word of it', async (_, content, mode, exit, code) => {
    await write(content, mode);
    for (const args of [['list'], ['show'], ['check'], ['use', 'one'], ['remove', 'one', '--yes'], ADD]) {
      const refused = await run([...args, '--json', '--verbose']);
      expect([refused.code, json(refused).error.code], args.join(' ')).toEqual([exit, code]);
      expect(refused.stdout + refused.stderr).not.toContain('planted');
    }
    expect(await text()).toBe(content);
  });
});

describe('context check', () => {
  const here = (more = '') => {
    const { host, port } = database.server;
    return `[contexts.here]\nkind = "server"\nhost = "${host}"\nport = ${port}\ndatabase = "${database.name}"\nuser = "camille.roy"\n${more}\n`;
  };
  const password = (login: string) => database.as(login).password as string;
  const findings = (finished: Finished) =>
    json(finished).result.findings as {
      name: string;
      level: string;
      detail: string;
      remedy: string | null;
    }[];
  const level = (finished: Finished, name: string) =>
    findings(finished)
      .filter((one) => one.name === name)
      .map((one) => one.level);

  it('connects as operator and owner and reads the key: all is well', async () => {
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    await write(
      here(`password_env = "PW"\n[contexts.here.owner]\nuser = "nestsync_owner"\npassword_env = "OWNER_PW"
[contexts.here.signing_key]\nfile = "key.pem"`),
    );
    await writeFile(join(dirname(path), 'key.pem'), key, { mode: 0o600 });
    const env = { PW: password('camille.roy'), OWNER_PW: password('nestsync_owner') };
    const good = await run(['check', '--json', '--verbose'], env);
    expect(good.code, good.stdout).toBe(0);
    for (const name of ['operator', 'owner', 'signing key', 'operator TLS'])
      expect(level(good, name)).toEqual(['ok']);
    expect((await run(['check'], env)).stdout).toContain('All is well.');

    await chmod(join(dirname(path), 'key.pem'), 0o640);
    const open = await run(['check', '--json'], env);
    expect([open.code, level(open, 'signing key')]).toEqual([3, ['error']]);
    expect(JSON.stringify(findings(open))).toContain(`chmod 600 ${join(dirname(path), 'key.pem')}`);
  });

  it('says of each part what is wrong', async () => {
    const env = { PW: password('camille.roy'), WRONG: 'planted-wrong' };
    await write(
      here(`password_env = "PW"\n[contexts.here.owner]\nuser = "nestsync_owner"\npassword_env = "WRONG"
[contexts.here.replica]\nhost = "${database.server.host}"
[contexts.here.backup]\nengine = "local"
[contexts.here.object_store]\nbucket = "bkt"\nregion = "ca-central-1"
[contexts.here.signing_key]\ncommand = ["false"]`),
    );
    const bad = await run(['check', '--json'], env);
    expect(bad.code).toBe(3);
    expect(level(bad, 'operator')).toEqual(['ok']);
    expect(level(bad, 'owner')).toEqual(['error']);
    expect(level(bad, 'replica')).toEqual(['ok', 'error']);
    expect(level(bad, 'object store credentials')).toEqual(['error']);
    expect(level(bad, 'object store')).toEqual(['unknown']);
    expect(level(bad, 'signing key')).toEqual(['error']);
    expect(level(bad, 'backup engine')).toEqual(['error']);
    expect(bad.stdout).not.toContain('planted-wrong');
    await write(
      here(`password_env = "PW"\n[contexts.here.owner]\nuser = "camille.roy"\npassword_env = "PW"`),
    );
    expect(level(await run(['check', '--json'], env), 'owner')).toEqual(['ok', 'error']);
  });

  it('does not call good or bad what did not answer', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    await write(
      here()
        .replace(/port = \d+/, `port = ${port}`)
        .replace(/host = "[^"]+"/, 'host = "127.0.0.1"'),
    );
    const unknown = await run(['check', '--json'], { PGPASSWORD: 'x' });
    silent.close();
    expect([unknown.code, level(unknown, 'operator')]).toEqual([9, ['unknown']]);
  });

  it('repeats no secret from environment, pgpass, key, or program, nor shows one in the list of processes', async () => {
    const secrets = {
      PGPASSWORD: 'planted-pgpassword',
      AWS_ACCESS_KEY_ID: 'plantedkeyid',
      AWS_SECRET_ACCESS_KEY: 'planted-aws-secret',
      AWS_SESSION_TOKEN: 'planted-token',
      SUPABASE_ACCESS_TOKEN: 'planted-supabase',
    };
    const program = join(folder, 'password.sh');
    const processes = join(folder, 'processes');
    await writeFile(program, `#!/bin/sh\nps -eo args >> ${processes}\necho planted-from-program\n`);
    await chmod(program, 0o700);
    await write(
      here(`password_command = ["${program}"]
[contexts.here.owner]\nuser = "nestsync_owner"\npassfile = "pgpass"
[contexts.here.replica]\nhost = "127.0.0.1"\nport = 1
[contexts.here.backup]\nengine = "supabase"\nproject = "abcdefghijklmnopqrst"
[contexts.here.object_store]\nbucket = "bkt"\nregion = "ca-central-1"\nendpoint = "http://127.0.0.1:1"
[contexts.here.signing_key]\ncommand = ["echo", "public"]`),
    );
    await writeFile(join(dirname(path), 'pgpass'), '*:*:*:*:planted-in-pgpass\n', { mode: 0o600 });
    for (const args of [['check'], ['check', '--json'], ['show'], ['show', '--json'], ['list', '--json']]) {
      const { stdout, stderr } = await run([...args, '--verbose'], secrets);
      expect(stdout + stderr, args.join(' ')).not.toContain('planted');
    }
    const seen = await readFile(processes, 'utf8');
    expect(seen).toContain('context check');
    expect(seen).not.toContain('planted');
  });
});
