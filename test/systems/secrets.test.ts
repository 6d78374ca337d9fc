import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { finished, runConsole, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type ManifestCommand, manifestCommands } from '../support/fuzz/command-lines.js';
import { runLines } from '../support/fuzz/run-lines.js';
import { inTurns } from '../support/operator-console.js';
import { type PlantedSecrets, plantSecrets, watchProcesses } from '../support/planted-secrets.js';
import { makeFamily } from '../support/small-world.js';

const commands = manifestCommands();
const UUID = '00000000-0000-4000-8000-000000000000';

let database: TestDatabase;
let planted: PlantedSecrets;
beforeAll(async () => {
  database = await createTestDatabase();
  await makeFamily(database, { name: 'Tremblay' });
  planted = await plantSecrets(database);
});
afterAll(async () => {
  await planted?.remove();
  await database?.drop();
});

/** A line of the command that gets as far as its server, where it has one, and changes nothing. */
function lineOf({ id, flags, args }: ManifestCommand): string[] {
  const known = (name: string, ...words: string[]) => (name in flags ? words : []);
  return [
    ...id.split(':'),
    ...Object.entries(args).flatMap(([name, { required }]) =>
      required === true ? [name === 'record' ? 'keys/1' : UUID] : [],
    ),
    ...Object.entries(flags).flatMap(([name, { required, type }]) =>
      required === true && type === 'option' && name !== 'reason' && name !== 'ticket'
        ? [`--${name}=${UUID}`]
        : [],
    ),
    ...known('reason', '--reason', 'Grandma cannot see the log'),
    ...known('ticket', '--ticket', 'SUP-1'),
    ...known('dry-run', '--dry-run'),
    // What is followed has no end.
    ...known('once', '--once'),
  ];
}

const isLocal = ({ id }: ManifestCommand) => /^(demo|local)/.test(id);

/** The embedded server is not for this test: it fails where it would make its folders. */
const envOf = (command: ManifestCommand): Readonly<Record<string, string>> =>
  isLocal(command) ? { ...planted.env, NESTCTL_HOME: '/dev/null/nestctl' } : planted.env;

function tellsNothing(what: string, text: string, secrets = Object.entries(planted.secrets)): void {
  for (const [where, secret] of secrets) {
    expect(secret.length, where).toBeGreaterThan(12);
    if (text.includes(secret)) throw new Error(`${what} tells the secret of ${where}`);
  }
}

const HOW = [
  ['works', '--verbose'],
  ['wrong', '--json'],
  ['down', '--json', '--verbose'],
] as const;

test('no command tells a secret: in text, --json and --verbose, with servers that work, refuse and are down', async () => {
  const runs = commands.flatMap((command) =>
    HOW.map(([context, ...how]) => ({
      command,
      context,
      argv: [...lineOf(command), '--context', context, ...how],
    })),
  );
  const codes = new Set<number | null>();
  let children = 0;
  // The contexts whose secrets come of programs have processes to look at: one command in this, the next in that.
  const [refuses, isDown] = [0, 1].map((rest) => new Set(commands.filter((_, at) => at % 2 === rest)));
  const looked = runs.filter(
    ({ command, context }) =>
      isLocal(command) ||
      (context === 'wrong' && refuses?.has(command)) ||
      (context === 'down' && isDown?.has(command)),
  );
  await inTurns(
    looked,
    async ({ command, argv }) => {
      const child = startConsole(argv, { env: envOf(command) });
      child.stdin.end();
      const watched = watchProcesses(child.pid ?? 0);
      const { code, stdout, stderr } = await finished(child);
      codes.add(code);
      const name = argv.join(' ');
      tellsNothing(`the output of ${name}`, stdout + stderr);
      for (const { command: line, environment, below } of await watched()) {
        tellsNothing(`the command line of ${line} under ${name}`, line);
        // The console itself, started by the tour or the menu, goes on with what it was given.
        if (!below || line.includes('bin/run.js')) continue;
        children += 1;
        const ours = planted.ours.map((secret): [string, string] => ['a variable of ours', secret]);
        tellsNothing(`the environment of ${line} under ${name}`, environment, ours);
      }
    },
    3,
  );
  const others = runs.filter((run) => !looked.includes(run));
  const ended = await runLines(
    others.map(({ argv }, number) => ({ number, argv })),
    { env: planted.env },
  );
  expect(ended).toHaveLength(others.length);
  for (const { argv, judged } of ended) {
    codes.add(judged.code);
    expect([argv, judged.problems]).toEqual([argv, []]);
    tellsNothing(`the output of ${argv.join(' ')}`, judged.stdout + judged.stderr);
  }
  for (const code of [0, 1, 4, 5]) expect([...codes]).toContain(code);
  expect(children).toBeGreaterThan(0);
  for (const [path, content] of await planted.writtenFiles()) tellsNothing(path, content);
}, 900_000);

test('a connection string with a password is refused in any flag of any command, and never repeated', async () => {
  const secret = 'planted-flag-Zq8wX2';
  const url = `postgres://camille:${secret}@db.example.ca/nestsync`;
  const lines = commands.flatMap((command) => [
    [...command.id.split(':'), url],
    ...Object.entries(command.flags)
      .filter(([, { type }]) => type === 'option')
      .flatMap(([name]) => [
        [...lineOf(command), `--${name}=${url}`],
        [...lineOf(command), `--${name}`, url, '--json'],
      ]),
  ]);
  expect(lines.length).toBeGreaterThan(300);
  const ended = await runLines(
    lines.map((argv, number) => ({ number, argv })),
    { env: { ...planted.env, FUZZ_FORBIDDEN: JSON.stringify([secret, ...Object.values(planted.secrets)]) } },
  );
  const wrong = ended.filter(({ judged }) => judged.code !== 2 || judged.problems.length > 0);
  expect(wrong.map(({ argv, judged }) => [argv.join(' '), judged])).toEqual([]);
  const json = ended.filter(({ argv }) => argv.includes('--json')).map(({ judged }) => judged.error);
  expect([...new Set(json)]).toEqual(['password_given']);
  for (const [path, content] of await planted.writtenFiles()) expect(content, path).not.toContain(secret);
}, 300_000);

test('what the environment says for a flag is held to the same', async () => {
  const url = 'postgres://camille:planted-env-Zq8wX2@db.example.ca/nestsync';
  for (const name of ['NESTCTL_REASON', 'NESTCTL_TICKET', 'NESTCTL_CONTEXT', 'NESTCTL_DUTY']) {
    const { code, stdout, stderr } = await runConsole(['family', 'list'], {
      env: { ...planted.env, [name]: url },
    });
    expect([name, code]).toEqual([name, 2]);
    expect(stdout + stderr).toContain(name);
    expect(stdout + stderr).not.toContain('planted-env');
  }
});

test('a password typed into the context file by mistake is refused without being shown', async () => {
  const { contextFile } = await import('../support/console.js');
  const secret = 'planted-toml-Zq8wX2';
  const good = 'kind = "server"\nhost = "127.0.0.1"\ndatabase = "nestsync"\nuser = "camille.roy"';
  const url = `postgres://camille:${secret}@db.example.ca/nestsync`;
  for (const text of [
    `[contexts.prod]\n${good}\npassword = "${secret}"`,
    `[contexts.prod]\n${good}\npasswd = "${secret}"`,
    `[contexts.prod]\n${good}\npassword = ${secret}`,
    `[contexts.prod]\n${good}\npassword = "${secret}`,
    `[contexts.prod]\n${good}\n${secret}`,
    `[contexts.prod]\n${good}\npassword_env = "${secret}"`,
    `[contexts.prod]\n${good}\npassword_command = "${secret}"`,
    `[contexts.prod]\n${good}\nsslmode = "${secret}"`,
    `[contexts.prod]\n${good.replace('127.0.0.1', url)}`,
    `[contexts.prod]\n${good.replace('nestsync', url)}`,
    `[contexts.prod]\n${good.replace('camille.roy', url)}`,
    `[contexts.prod]\n${good}\npassfile = "${url}"`,
    `[contexts."${url}"]\n${good}`,
    `current = "${url}"\n[contexts.prod]\n${good}`,
    `"${url}" = 1\n[contexts.prod]\n${good}`,
    `[contexts.prod]\n${good}\n[contexts.prod.object_store]\nbucket = "b-b"\nregion = "ca"\nsecret_access_key = "${secret}"`,
    `[contexts.prod]\n${good}\n[contexts.prod.object_store]\nbucket = "b-b"\nregion = "ca"\nendpoint = "https://k:${secret}@s3.example.ca"`,
    `[contexts.prod]\n${good}\n[contexts.prod.backup]\nengine = "${secret}"`,
    `[contexts.prod]\n${good}\n[contexts.prod.signing_key]\npem = "${secret}"`,
  ]) {
    const { env } = await contextFile(`${text}\n`);
    for (const args of [
      ['context', 'show', 'prod'],
      ['context', 'list', '--json', '--verbose'],
    ]) {
      const { code, stdout, stderr } = await runConsole(args, { env });
      expect([text, code]).toEqual([text, 1]);
      expect(stdout + stderr).not.toContain(secret);
    }
  }
});

test('keys are told by no record, page, list or publication, in whatever form they have', async () => {
  const run = (...args: string[]) =>
    runConsole(['evidence', ...args, '--context', 'works', '--verbose'], { env: planted.env });
  const why = ['--reason', 'first', '--ticket', 'OPS-1'];
  let said = '';
  const page = join(planted.home, 'page.html');
  for (const args of [
    ['key', 'create', ...why],
    ['key', 'create', '--for', 'ledger', ...why],
    ['key', 'publish', '--to', join(planted.home, 'keys.json')],
    ['show', 'keys/1', '--html', page, '--json'],
    ['list', '--json'],
    ['verify'],
  ]) {
    const { code, stdout, stderr } = await run(...args);
    expect([args.join(' '), code]).toEqual([args.join(' '), 0]);
    said += stdout + stderr;
  }
  const signing = join(planted.home, 'data', 'contexts', 'works', 'signing');
  const pem = await readFile(join(signing, 'key.pem'), 'utf8');
  const { keys } = JSON.parse(await readFile(join(signing, 'ledger-keys.json'), 'utf8'));
  const jwk = createPrivateKey(pem).export({ format: 'jwk' });
  const raw = Buffer.from(jwk.d ?? '', 'base64url');
  const forms = [
    pem.split('\n')[1] ?? '',
    jwk.d ?? '',
    raw.toString('hex'),
    raw.toString('base64'),
    keys[0].k as string,
  ];
  for (const form of forms) {
    expect(said).not.toContain(form);
    for (const [path, content] of await planted.writtenFiles())
      expect(content.includes(form), path).toBe(false);
  }
});
