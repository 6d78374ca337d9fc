import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { finished, runOnTerminal, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { codeIn, type MailServer, makeCertificate, startMailServer } from '../support/mail-server.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily } from '../support/small-world.js';

const WHY = ['--reason', 'their letter of today', '--ticket', 'PRV-12'];
const LOGIN = { user: 'nestsync', password: 'correct-horse-battery' };
const certificate = makeCertificate('localhost');

let database: TestDatabase;
let me: OperatorConsole;
let server: MailServer;
let number: string;

const openServer = async (wish: Parameters<typeof startMailServer>[0] = {}) => {
  server = await startMailServer({ certificate, login: LOGIN, ...wish });
  const path = me.env.NESTCTL_CONFIG as string;
  const [server_ = ''] = (await readFile(path, 'utf8')).split('\n[contexts.test.mail]');
  const mail = [
    ...['[contexts.test.mail]', 'host = "localhost"', `port = ${server.port}`, 'tls = "starttls"'],
    ...['from = "privacy@nestsync.example"', `user = "${LOGIN.user}"`, 'password_env = "MAIL_PASSWORD"'],
    `ca_file = "${certificate.path}"`,
  ];
  await writeFile(path, `${server_}\n${mail.join('\n')}\n`);
};
const env = { MAIL_PASSWORD: LOGIN.password };
const options = (input?: string) => ({ env, ...(input === undefined ? {} : { input }) });

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
});
beforeEach(async () => {
  const family = await makeFamily(database, { name: 'Tremblay' });
  await asService(database, (service) =>
    service.query('update public.users set email_verified_at = now() where id = $1', [family.gran.id]),
  );
  const asked = ['--kind', 'access', '--channel', 'email', '--asks', 'all of it', '--user', family.gran.id];
  number = (await me.json(['request', 'open', ...asked, ...WHY, '--yes'])).body.result.request.number;
  await openServer();
});
afterEach(() => server?.stop());
afterAll(() => database?.drop());

const send = (...words: string[]) => me.json(['request', 'send-code', number, ...words, ...WHY], options());
const verify = (words: readonly string[], input?: string) =>
  me.json(['request', 'verify-identity', number, '--method', 'email_code', ...words, ...WHY], options(input));
const latest = () => codeIn(server.letters.at(-1) as (typeof server.letters)[number]);
const shown = async () => (await me.json(['request', 'show', number])).body.result;

test('a code is planned, sent and entered, and is in nothing that the console leaves', async () => {
  expect((await send('--dry-run')).body.result.plan).toMatchObject({ goes_to: 'account', seconds: 1800 });
  expect((await send()).code).toBe(7);
  expect(server.letters).toEqual([]);
  const sent = await send('--expires', '2h', '--yes');
  expect(sent).toMatchObject({ code: 0, body: { result: { request: number } } });
  const code = latest();
  expect((await verify(['--yes'])).body.error).toMatchObject({ code: 'code_missing', exitCode: 7 });
  expect((await verify(['--failed', '--yes', '--code-file', '-'], code)).code).toBe(2);
  const wrong = code.startsWith('0') ? `1${code.slice(1)}` : `0${code.slice(1)}`;
  expect(await verify(['--yes', '--code-file', '-'], `${wrong}\n`)).toMatchObject({
    code: 4,
    body: { error: { code: 'wrong_code', next: `nestctl request show ${number}` } },
  });
  expect((await shown()).code).toMatchObject({ sending: 'sent', attempts_left: 2 });
  const verified = await verify(['--yes', '--verbose', '--code-file', '-'], `${code}\r\n`);
  expect(verified.body.result.request.identity_verified_at).not.toBeNull();
  const said = JSON.stringify([sent, verified, await shown()]);
  const folder = dirname(me.env.NESTCTL_CONFIG as string);
  const log = await readFile(join(folder, 'log', 'nestctl.ndjson'), 'utf8');
  const events = await withConnection(database.owner, (owner) =>
    owner.query<{ event: string }>('select e::text as event from audit.events e'),
  );
  for (const secret of [code, code.replace(' ', ''), LOGIN.password])
    for (const text of [said, log, ...events.map(({ event }) => event)])
      expect(text.includes(secret)).toBe(false);
  expect((await readdir(folder)).length).toBeLessThan(6);
});

test('on a terminal the code is asked for, and does not show', async () => {
  await send('--yes');
  const code = latest();
  const line = ['request', 'verify-identity', number, '--method', 'email_code', ...WHY];
  const { code: exit, stdout } = await runOnTerminal(line, {
    env: { ...me.env, ...env },
    type: [
      { at: 'verify identity?', keys: 'y\r' },
      { at: 'The code that they give:', keys: `${code}\r` },
    ],
  });
  expect(stdout).toContain('the identity check is recorded');
  expect(stdout).not.toContain(code);
  expect(exit).toBe(0);
});

test('a console that is killed while it sends leaves a code that is not known to be sent', async () => {
  await server.stop();
  await openServer({ fault: 'stalls-after-data' });
  const child = startConsole(['request', 'send-code', number, ...WHY, '--yes'], {
    env: { ...me.env, ...env },
  });
  const end = finished(child);
  await expect.poll(() => server.letters.length, { timeout: 30_000 }).toBe(1);
  child.kill('SIGKILL');
  expect((await end).signal).toBe('SIGKILL');
  expect((await shown()).code).toMatchObject({ sending: null, attempts_left: 3 });
  const { stdout } = await me.run(['request', 'show', number]);
  expect(stdout).toContain('not known to be sent');
  expect((await verify(['--yes', '--code-file', '-'], latest())).code).toBe(0);
});

test('what the mail server refuses is told with a way on, and no code stays good', async () => {
  await server.stop();
  await openServer({ fault: 'recipient' });
  const { code, body } = await send('--yes');
  expect([code, body.error.code]).toEqual([1, 'mail_recipient_refused']);
  expect(body.error).toMatchObject({ next: `nestctl request show ${number}` });
  expect(JSON.stringify(body)).not.toMatch(/gran-/);
  expect((await shown()).code).toBeNull();
});

test('the mail section is shown without its password, and tried', async () => {
  const { body } = await me.json(['context', 'show'], options());
  expect(body.result.mail).toEqual({
    ...{ host: 'localhost', port: server.port, tls: 'starttls', from: 'privacy@nestsync.example' },
    ...{ reply_to: null, user: LOGIN.user, password_from: 'MAIL_PASSWORD' },
  });
  const mailOf = async (given: Readonly<Record<string, string>>) =>
    (await me.json(['context', 'check'], { env: given })).body.result.findings.find(
      ({ name }: { name: string }) => name === 'mail server',
    );
  expect(await mailOf(env)).toMatchObject({ level: 'ok', object: `localhost:${server.port}` });
  expect(await mailOf({ MAIL_PASSWORD: 'another' })).toMatchObject({ level: 'error' });
  expect(await mailOf({})).toMatchObject({
    level: 'error',
    detail: expect.stringContaining('MAIL_PASSWORD'),
  });
  expect(server.letters).toEqual([]);
  await server.stop();
  expect(await mailOf(env)).toMatchObject({ level: 'error', remedy: 'nestctl context check' });
});
