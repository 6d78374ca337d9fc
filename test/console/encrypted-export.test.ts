import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { finished, runOnTerminal, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { lookEverywhere, makeFamily } from '../support/small-world.js';

const WHY = ['--reason', 'her access request', '--ticket', 'DSR-1'];
const PASSPHRASE = 'berceau-lune-érable-42';

let database: TestDatabase;
let me: OperatorConsole;
let number: string;
let person: string;
let recipient: string;
let keyFile: string;

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
  expect((await me.run(['evidence', 'key', 'create', ...WHY])).code).toBe(0);
  const { core } = await makeFamily(database, { name: 'Tremblay' });
  person = core.id;
  const asked = ['--kind', 'access', '--channel', 'email', '--asks', 'all you hold', '--user', person];
  const opened = await me.json(['request', 'open', ...asked, ...WHY, '--yes']);
  number = opened.body.result.request.number;
  await me.json(['request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes']);
  const identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  keyFile = join(mkdtempSync(join(tmpdir(), 'nestctl-key-')), 'key.txt');
  writeFileSync(keyFile, `# created: today\n# public key: ${recipient}\n${identity}\n`);
});
afterAll(async () => {
  if (keyFile !== undefined) rmSync(dirname(keyFile), { recursive: true });
  await database?.drop();
});

const create = (file: string, ...more: string[]) => [
  'export',
  'create',
  number,
  '--file',
  file,
  ...more,
  ...WHY,
];
const verify = (file: string, ...more: string[]) => me.json(['export', 'verify', file, ...more]);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** A program that prints a passphrase which is on no command line. */
function program(prints: string): string {
  const path = join(temporaryFolder(), 'print.sh');
  writeFileSync(path, `#!/bin/sh\ncat <<'END'\n${prints}\nEND\n`, { mode: 0o700 });
  return path;
}

test('a package is encrypted to a key, recorded as the file that it is, and verified by whoever holds the key', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'jeanne.zip.age');
  const dry = await me.json(create(file, '--encrypt-to', recipient, '--dry-run'));
  expect([dry.code, readdirSync(folder)]).toEqual([0, []]);
  const done = await me.json(create(file, '--encrypt-to', recipient, '--yes'));
  const { result } = done.body;
  const bytes = readFileSync(file);
  expect(done.code).toBe(0);
  expect(result.encrypted).toEqual({
    ...{ encryption: 'keys', recipients: [recipient], sha256: sha256(bytes), bytes: bytes.length },
    evidence: expect.stringMatching(/^exports\/\d+$/),
  });
  expect([readdirSync(folder), statSync(file).mode & 0o777]).toEqual([['jeanne.zip.age'], 0o600]);
  expect(bytes.includes('PK\x03\x04') || bytes.includes('manifest.json')).toBe(false);

  expect(await verify(file, '--identity', keyFile)).toMatchObject({
    code: 0,
    body: { result: { verified: true, record: { content: { request: number, rows: result.rows } } } },
  });
  // Of nobody is said in what is signed for good to whom it was encrypted.
  const record = await me.run(['evidence', 'show', result.encrypted.evidence, '--json']);
  expect(record.code).toBe(0);
  for (const hash of [result.encrypted.sha256, result.package_sha256]) expect(record.stdout).toContain(hash);
  expect(record.stdout).not.toContain(recipient);
  expect(await me.json(['evidence', 'verify'])).toMatchObject({ code: 0 });

  const listed = await me.json(['export', 'list', result.id, ...WHY]);
  expect(listed.body.result.packages).toMatchObject([{ encrypted: result.encrypted }]);
  const table = await me.run(['export', 'list', result.id, ...WHY]);
  expect(table.stdout).toContain(`${recipient.slice(0, 10)}…${recipient.slice(-6)}`);
});

test('without a key its bytes are held against the record, and what was not looked at is said', async () => {
  const file = join(temporaryFolder(), 'jeanne.zip.age');
  await me.json(create(file, '--encrypt-to', recipient, '--yes'));
  expect(await verify(file)).toMatchObject({
    code: 9,
    body: { result: { verified: false, recorded: { request: number }, unchecked: ['package'] } },
  });
  const { stdout } = await me.run(['export', 'verify', file]);
  expect(stdout).toMatch(
    /Byte for byte the encrypted file that was recorded for REQ.*What it holds was not looked at/s,
  );

  // Where no database can be asked, that is said too.
  const away = await operatorConsole(database, { port: 1 });
  const lonely = await away.json(['export', 'verify', file]);
  expect([lonely.code, lonely.body.result]).toMatchObject([9, { verified: false, recorded: null }]);
  const offline = await away.json(['export', 'verify', file, '--identity', keyFile]);
  expect([offline.code, offline.body.result.kind]).toEqual([3, 'unknown_key']);
  await me.run(['evidence', 'key', 'publish', '--to', `${file}.keys`]);
  const keys = await away.json(['export', 'verify', file, '--identity', keyFile, '--keys', `${file}.keys`]);
  expect(keys).toMatchObject({ code: 0, body: { result: { verified: true } } });

  const bytes = readFileSync(file);
  const changed = join(temporaryFolder(), 'changed.zip.age');
  const payload = bytes.indexOf('\n', bytes.indexOf('\n---') + 1) + 1;
  for (const at of [0, 70, payload - 2, payload + 16, bytes.length - 1]) {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ 1;
    writeFileSync(changed, copy);
    for (const how of [[], ['--identity', keyFile]])
      expect((await verify(changed, ...how)).code, `byte ${at} ${how}`).toBe(3);
  }
  for (const length of [payload + 16, bytes.length - 1]) {
    writeFileSync(changed, bytes.subarray(0, length));
    for (const how of [[], ['--identity', keyFile]])
      expect((await verify(changed, ...how)).code, `${length} bytes ${how}`).toBe(3);
  }
});

test('another key, another passphrase and the other way are told apart from a damaged file, with a way on', async () => {
  const folder = temporaryFolder();
  const [toKey, byPassphrase] = [join(folder, 'key.zip.age'), join(folder, 'passphrase.zip.age')];
  const given = ['--passphrase-command', program(PASSPHRASE)];
  await me.json(create(toKey, '--encrypt-to', recipient, '--yes'));
  expect((await me.json(create(byPassphrase, ...given, '--yes'))).code).toBe(0);
  const stranger = join(folder, 'stranger.txt');
  writeFileSync(stranger, `${await generateX25519Identity()}\n`);

  expect(await verify(byPassphrase, ...given)).toMatchObject({
    code: 0,
    body: { result: { verified: true } },
  });
  const next = `nestctl export list ${number}`;
  expect(await verify(toKey, '--identity', stranger)).toMatchObject({
    code: 4,
    body: { error: { code: 'wrong_key', next } },
  });
  expect(await verify(byPassphrase, '--passphrase-command', program('not this one at all'))).toMatchObject({
    code: 4,
    body: { error: { code: 'wrong_passphrase', next } },
  });
  expect(await verify(byPassphrase, '--identity', keyFile)).toMatchObject({
    code: 2,
    body: { error: { code: 'needs_passphrase' } },
  });
  expect(await verify(toKey, ...given)).toMatchObject({ code: 2, body: { error: { code: 'needs_key' } } });
  expect(await verify(toKey, '--passphrase')).toMatchObject({
    code: 7,
    body: { error: { code: 'passphrase_missing' } },
  });
  // Offline, whether the key or the head is wrong cannot be told.
  const away = await operatorConsole(database, { port: 1 });
  const unsure = await away.json(['export', 'verify', toKey, '--identity', stranger]);
  expect([unsure.code, unsure.body.error.code]).toEqual([4, 'wrong_key']);
  expect(unsure.body.error.message).toContain('or the head of the file was changed');
});

test('a passphrase is typed twice at a terminal, is on no screen, and is nowhere afterwards', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'typed.zip.age');
  const typed = (first: string, again: string) =>
    runOnTerminal(create(file, '--passphrase', '--yes'), {
      env: me.env,
      type: [
        { at: 'will open it with:', keys: `${first}\r` },
        { at: 'Once more:', keys: `${again}\r` },
      ],
    });
  const two = await typed(PASSPHRASE, `${PASSPHRASE}x`);
  expect([two.code, two.stdout]).toEqual([7, expect.stringContaining('two different passphrases')]);
  expect(readdirSync(folder)).toEqual([]);
  const done = await typed(PASSPHRASE, PASSPHRASE);
  expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('a passphrase')]);
  const once = await runOnTerminal(['export', 'verify', file, '--passphrase'], {
    env: me.env,
    type: [{ at: 'Its passphrase:', keys: `${PASSPHRASE}\r` }],
  });
  expect([once.code, once.stdout]).toEqual([0, expect.stringContaining('Every byte is as it was signed')]);
  for (const { stdout, stderr } of [two, done, once]) expect(stdout + stderr).not.toContain(PASSPHRASE);

  const home = me.env.NESTCTL_HOME as string;
  let read = 0;
  for (const name of readdirSync(home, { recursive: true })) {
    const path = join(home, String(name));
    if (!statSync(path).isFile()) continue;
    read += 1;
    expect(readFileSync(path, 'utf8'), path).not.toContain(PASSPHRASE);
  }
  expect(read).toBeGreaterThan(3);
  const { looked_at, found } = await lookEverywhere(database, PASSPHRASE);
  expect(found).toEqual([]);
  expect(looked_at).toBeGreaterThan(100);
});

describe('what is refused', () => {
  const SECRET = `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}`;
  test.each([
    ['a secret key where a public one is meant', ['--encrypt-to', SECRET], 2, 'secret_key_given', '.zip.age'],
    ['in small letters', [`--encrypt-to=${SECRET.toLowerCase()}`], 2, 'secret_key_given', '.zip.age'],
    ['a key with a letter wrong', ['--encrypt-to', 'age1vn5q7'], 2, 'bad_recipient', '.zip.age'],
    ['both', ['--encrypt-to', 'age1vn5q7', '--passphrase'], 2, 'usage', '.zip.age'],
    ['both in the other way', ['--passphrase-command', 'cat', '--passphrase'], 2, 'usage', '.zip.age'],
    ['no terminal to ask at', ['--passphrase', '--yes'], 7, 'passphrase_missing', '.zip.age'],
    ['a name that does not say so', ['--passphrase', '--yes'], 2, 'misleading_name', '.zip'],
    ['a name that says what is not so', ['--yes'], 2, 'misleading_name', '.zip.age'],
    [
      'a passphrase of a few letters',
      ['--passphrase-command', 'echo kurz', '--yes'],
      2,
      'short_passphrase',
      '.zip.age',
    ],
    ['no passphrase', ['--passphrase-command', 'true', '--yes'], 2, 'short_passphrase', '.zip.age'],
    [
      'a program that fails',
      ['--passphrase-command', 'false', '--yes'],
      1,
      'passphrase_command_failed',
      '.zip.age',
    ],
  ])('%s', async (_, flags, code, error, ending) => {
    const folder = temporaryFolder();
    const ran = await me.run([...create(join(folder, `p${ending}`), ...flags), '--json']);
    expect([ran.code, JSON.parse(ran.stdout).error.code]).toEqual([code, error]);
    expect((ran.stdout + ran.stderr).toUpperCase()).not.toContain(SECRET.slice(0, 30));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a passphrase as a word of the command line, without repeating it', async () => {
    const file = join(temporaryFolder(), 'p.zip.age');
    for (const words of [['--passphrase', PASSPHRASE], [`--passphrase=${PASSPHRASE}`]]) {
      const { code, stdout, stderr } = await me.run(create(file, ...words, '--yes'));
      expect([code, existsSync(file)]).toEqual([2, false]);
      expect(stdout + stderr).not.toContain(PASSPHRASE);
      expect(stdout + stderr).toMatch(/--passphrase/);
    }
    const inPlaceOfTheNumber = create(file, '--passphrase', PASSPHRASE).filter((word) => word !== number);
    const { code, stdout, stderr } = await me.run(inPlaceOfTheNumber);
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain(PASSPHRASE);
  });

  test.each([
    ['no key in it', '# a comment\n', 'bad_identity'],
    ['a public key in it', 'age1vn5q7\n', 'bad_identity'],
    ['half a key in it', `${SECRET.slice(0, 40)}\n`, 'bad_identity'],
    ['encrypted itself', 'age-encryption.org/v1\n-> scrypt x 18\n', 'bad_identity'],
  ])('an identity file with %s', async (_, text, code) => {
    const folder = temporaryFolder();
    const file = join(folder, 'p.zip.age');
    writeFileSync(file, `age-encryption.org/v1\n-> X25519 abc\nabc\n--- abc\n${'x'.repeat(32)}`);
    writeFileSync(join(folder, 'key'), text);
    const ran = await me.run(['export', 'verify', file, '--identity', join(folder, 'key'), '--json']);
    expect([ran.code, JSON.parse(ran.stdout).error.code]).toEqual([2, code]);
    expect(ran.stdout + ran.stderr).not.toContain(SECRET.slice(0, 30));
  });

  test('an identity file that is not there', async () => {
    const file = join(temporaryFolder(), 'p.zip.age');
    await me.json(create(file, '--encrypt-to', recipient, '--yes'));
    const missing = await verify(file, '--identity', `${file}.txt`);
    expect([missing.code, missing.body.error.message]).toEqual([1, expect.stringContaining(`${file}.txt`)]);
    const secret = await me.run(['export', 'verify', file, '--identity', SECRET]);
    expect([secret.code, secret.stderr.includes(SECRET.slice(0, 30))]).toEqual([2, false]);
  });
});

test('killed as it is written, what is left beside its place is no plaintext', async () => {
  const marker = 'only-in-the-clear-7c1f';
  await withConnection(database.superuser, (superuser) =>
    superuser.query(
      `insert into public.notification_logs (user_id, notification_type, channel, title, message)
       select $1, 'usage_reminder', 'push', $2, md5(n::text) || md5((n + 1)::text) from generate_series(1, 12000) n`,
      [person, marker],
    ),
  );
  const folder = temporaryFolder();
  const words = create(join(folder, 'p.zip.age'), '--encrypt-to', recipient, '--yes');
  const child = startConsole(words, { env: { ...me.env, TMPDIR: folder } });
  const end = finished(child);
  const written = () => readdirSync(folder).some((name) => statSync(join(folder, name)).size > 70_000);
  while (!written()) await sleep(1);
  child.kill('SIGKILL');
  expect((await end).signal).toBe('SIGKILL');
  const names = readdirSync(folder);
  expect(names).toEqual([expect.stringMatching(/^\.p\.zip\.age\..*\.partial$/)]);
  const left = readFileSync(join(folder, names[0] as string));
  expect(left.toString('latin1')).toMatch(/^age-encryption\.org\/v1\n/);
  // Neither the names of its files nor the head of a ZIP file, which are in the clear even where it is compressed.
  for (const clear of ['PK\x03\x04', 'usage_logs', 'provided/', marker])
    expect(left.includes(clear), clear).toBe(false);
  const again = await me.json(words);
  expect([again.code, readdirSync(folder)]).toEqual([0, ['p.zip.age']]);
  expect((await verify(join(folder, 'p.zip.age'), '--identity', keyFile)).code).toBe(0);
});
