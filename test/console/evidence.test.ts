import { createPrivateKey, randomInt } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Finished, finished, runConsole, startConsole } from '../support/console.js';

let home: string;
let said: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'nestctl-evidence-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  said = '';
  await configure('');
});

async function configure(more: string): Promise<void> {
  const context = 'kind = "server"\nhost = "127.0.0.1"\ndatabase = "nestsync"\nuser = "camille.roy"';
  await writeFile(join(home, 'contexts.toml'), `[contexts.prod]\n${context}\n${more}`, { mode: 0o600 });
}

async function evidence(...args: string[]): Promise<Finished & { json: Envelope }> {
  const run = await runConsole(['evidence', ...args], {
    env: { NESTCTL_HOME: home, NESTCTL_CONFIG: join(home, 'contexts.toml') },
  });
  said += run.stdout + run.stderr;
  return {
    ...run,
    get json() {
      return JSON.parse(run.stdout) as Envelope;
    },
  };
}

const create = (...args: string[]) => evidence('key', 'create', '--reason', 'first', ...args);

interface Envelope {
  // biome-ignore lint/suspicious/noExplicitAny: tests state the shape they expect
  readonly result: any;
  readonly meta: { readonly next_cursor: string | null };
  readonly error: { readonly code: string; readonly exitCode: number };
}

const keyFile = () => join(home, 'contexts/prod/signing/key.pem');
const record = (number: number) => join(home, `contexts/prod/evidence/keys/00000${number}.json`);

describe('evidence', () => {
  it('is empty at first, and says how it begins', async () => {
    expect(await evidence('list')).toMatchObject({ code: 0, stdout: 'There is no evidence yet.\n' });
    expect(await evidence('verify')).toMatchObject({ code: 0, stdout: 'There is no evidence yet.\n' });
    const rotate = await evidence('key', 'rotate', '--reason', 'x', '--yes');
    expect(rotate.code).toBe(6);
    expect(rotate.stderr).toContain('nestctl evidence key create');
  });

  it('is listed, shown and verified in text and JSON', async () => {
    await create('--ticket', 'OPS-1');
    const list = await evidence('list', '--json');
    expect(list.code).toBe(0);
    expect(list.json.result).toMatchObject({
      records: [
        {
          id: 'keys/1',
          type: 'key-change',
          made_by: 'camille.roy',
          context: 'prod',
          damaged: false,
          content: { event: 'created', because: 'first', ticket: 'OPS-1' },
        },
      ],
    });
    expect((await evidence('list')).stdout).toMatch(/keys\/1 +key-change/);
    expect((await evidence('show', 'keys/1')).stdout).toContain('in its place in the chain of 1');
    const verify = await evidence('verify', '--json');
    expect(verify).toMatchObject({ code: 0 });
    expect(verify.json.result).toMatchObject({ faults: 0, chains: [{ chain: 'keys', size: 1, faults: [] }] });
    expect(await evidence('show', 'keys/2')).toMatchObject({ code: 5 });
    expect(await evidence('show', 'drills/1')).toMatchObject({ code: 5 });
    expect(await evidence('show', '../1')).toMatchObject({ code: 2 });
    expect(await evidence('verify', '--chain', 'drills')).toMatchObject({ code: 5 });
    expect(await evidence('verify', '--head', 'keys')).toMatchObject({ code: 2 });
    const absent = await evidence('verify', '--keys', join(home, 'absent.json'));
    expect(absent.code).toBe(5);
    expect(absent.stderr).toContain('absent.json');
  });

  it('is listed page by page', async () => {
    await create();
    await evidence('key', 'rotate', '--reason', 'yearly', '--yes');
    const first = await evidence('list', '--limit', '2', '--json');
    expect(first.json.result.records.map(({ id }: { id: string }) => id)).toEqual(['keys/3', 'keys/2']);
    const rest = await evidence(
      'list',
      '--limit',
      '2',
      '--cursor',
      first.json.meta.next_cursor ?? '',
      '--json',
    );
    expect(rest.json.result.records.map(({ id }: { id: string }) => id)).toEqual(['keys/1']);
    expect(rest.json.meta.next_cursor).toBeNull();
    expect(await evidence('list', '--cursor', 'nonsense')).toMatchObject({ code: 2 });
  });

  it('that was tampered with is named with exit code 3, in text and JSON', async () => {
    await create();
    await evidence('key', 'rotate', '--reason', 'yearly', '--yes');
    await writeFile(record(2), (await readFile(record(2), 'utf8')).replace('"payload":"e', '"payload":"f'));
    await rm(record(3));
    const text = await evidence('verify');
    expect(text.code).toBe(3);
    expect(text.stdout).toContain('edited: record 2');
    expect(text.stdout).toContain('truncated: record 3');
    const json = await evidence('verify', '--json');
    expect(json.code).toBe(3);
    expect(json.json.result.chains[0].faults).toMatchObject([
      { kind: 'edited', chain: 'keys', number: 2 },
      { kind: 'truncated', chain: 'keys', number: 3 },
    ]);
    expect(await evidence('show', 'keys/2')).toMatchObject({ code: 3 });
    expect((await evidence('list')).stdout).toMatch(/keys\/2 +damaged/);
  });

  it('is written as a page, in either language', async () => {
    await create();
    for (const [language, verdict] of [
      ['en', 'Good: signed'],
      ['fr', 'Bon\u00a0: signé'],
    ] as const) {
      const page = join(home, `${language}.html`);
      expect(await evidence('show', 'keys/1', '--html', page, '--language', language)).toMatchObject({
        code: 0,
      });
      const html = await readFile(page, 'utf8');
      expect(html).toContain(`<html lang="${language}-CA">`);
      expect(html).toContain(verdict);
    }
    expect(await evidence('show', 'keys/1', '--language', 'de')).toMatchObject({ code: 2 });
  });
});

describe('keys', () => {
  it('are made once, in files of mode 0600, and never overwritten', async () => {
    expect(await create()).toMatchObject({ code: 0 });
    const before = await readFile(keyFile(), 'utf8');
    const again = await create('--json');
    expect(again.code).toBe(6);
    expect(again.json.error).toMatchObject({ code: 'key_exists', exitCode: 6 });
    expect(await readFile(keyFile(), 'utf8')).toBe(before);
    expect(await create('--for', 'ledger')).toMatchObject({ code: 0 });
    expect(await create('--for', 'ledger')).toMatchObject({ code: 6 });
    expect(await evidence('key', 'rotate', '--for', 'ledger', '--reason', 'x', '--yes')).toMatchObject({
      code: 0,
    });
    for (const name of await readdir(join(home, 'contexts/prod/signing'))) {
      const { mode } = await stat(join(home, 'contexts/prod/signing', name));
      if (name !== 'lock') expect(mode & 0o777, name).toBe(0o600);
    }
  });

  it('open to others are refused with the command that closes them', async () => {
    await create();
    await chmod(keyFile(), 0o644);
    const run = await evidence('key', 'rotate', '--reason', 'x', '--yes', '--json');
    expect(run.code).toBe(4);
    expect(run.json.error).toMatchObject({ code: 'key_open', next: `chmod 600 ${keyFile()}` });
  });

  it('need consent and a reason to be rotated or retired', async () => {
    await create();
    for (const verb of ['rotate', 'retire']) {
      expect(await evidence('key', verb, '--reason', 'x'), verb).toMatchObject({ code: 7 });
      expect(await evidence('key', verb, '--yes'), verb).toMatchObject({ code: 7 });
      expect(await evidence('key', verb, '--reason', 'x', '--dry-run'), verb).toMatchObject({ code: 0 });
    }
    expect((await evidence('list', '--json')).json.result.records).toHaveLength(1);
  });

  it('are made for a reason, and with --dry-run not at all', async () => {
    expect(await evidence('key', 'create')).toMatchObject({ code: 7 });
    const dry = await evidence('key', 'create', '--dry-run', '--json');
    expect(dry.json.result).toMatchObject({ dry_run: true, plan: { kept: keyFile() } });
    // The log is of the run, not of what it would have done.
    expect((await readdir(home)).filter((name) => name !== 'log')).toEqual(['contexts.toml']);
    await create();
    expect(await evidence('key', 'create', '--dry-run')).toMatchObject({ code: 6 });
    const ticket = ['--reason', 'yearly', '--ticket', 'OPS-7', '--yes'];
    await evidence('key', 'rotate', ...ticket);
    await evidence('key', 'retire', ...ticket);
    await create();
    const { records } = (await evidence('list', '--json', '--chain', 'keys')).json.result;
    const told = records.map(({ content }: { content: object }) => content);
    expect(told.filter(({ ticket }: { ticket?: string }) => ticket === 'OPS-7')).toHaveLength(3);
  });

  it('of another operator are trusted once their fingerprint is confirmed, and theirs alone', async () => {
    await create();
    const other = await mkdtemp(join(tmpdir(), 'nestctl-evidence-'));
    onTestFinished(() => rm(other, { recursive: true, force: true }));
    const mine = home;
    await writeFile(join(other, 'contexts.toml'), await readFile(join(mine, 'contexts.toml')), {
      mode: 0o600,
    });
    home = other;
    await create();
    const file = join(other, 'keys.json');
    const published = (await evidence('key', 'publish', '--to', file, '--json')).json.result;
    expect((await evidence('key', 'publish')).stdout).toContain(published.fingerprint);
    home = mine;
    const args = [
      'key',
      'import',
      file,
      '--owner',
      'alex.tremblay',
      '--reason',
      'shared',
      '--ticket',
      'OPS-9',
    ];
    const asked = await evidence(...args, '--json');
    expect(asked).toMatchObject({ code: 7 });
    expect((await evidence(...args, '--dry-run')).stdout).toContain(published.fingerprint);
    expect(await evidence(...args, '--confirm', '0000-0000')).toMatchObject({ code: 2 });
    expect(await readdir(join(mine, 'contexts/prod/signing'))).not.toContain('imported-keys.json');
    const done = await evidence(...args, '--confirm', published.fingerprint, '--json');
    expect(done.json.result).toMatchObject({ imported: [published.keys[0].kid], recorded: true });
    const [imported] = (await evidence('list', '--json')).json.result.records;
    expect(imported.content).toMatchObject({ event: 'imported', owner: 'alex.tremblay', ticket: 'OPS-9' });
    expect((await evidence('key', 'publish', '--with-imported')).stdout).toContain('alex.tremblay');
    expect((await evidence('key', 'publish', '--json')).json.result.keys).toHaveLength(1);
    expect(
      await evidence('key', 'import', join(other, 'absent'), '--owner', 'x', '--reason', 'y'),
    ).toMatchObject({
      code: 5,
    });
  });

  it('reported stolen fail what they signed since, and say so', async () => {
    await create();
    const run = await evidence(
      'key',
      'retire',
      '--reason',
      'theft',
      '--stolen-since',
      '1h',
      '--yes',
      '--json',
    );
    // Nothing of it can stand: the report reaches back before its first record.
    expect(run.json.result).toMatchObject({ private_key_destroyed: true, recorded: false });
    const verify = await evidence('verify', '--json');
    expect(verify.code).toBe(3);
    expect(verify.json.result.chains[0].faults).toMatchObject([{ kind: 'stolen_key', number: 1 }]);
    expect(await evidence('key', 'retire', '--reason', 'x', '--yes')).toMatchObject({ code: 5 });
    expect(await create()).toMatchObject({ code: 0 });
    const published = (await evidence('key', 'publish', '--json')).json.result.keys;
    expect(published).toHaveLength(2);
    expect(published[0]).toMatchObject({ stolen_since: expect.any(String), retired_at: expect.any(String) });
    expect(Object.keys(published[0])).not.toContain('retired_because');
  });

  it('come from a command where the context says so, and go to no file', async () => {
    await create();
    const vault = join(home, 'vault.pem');
    await writeFile(vault, await readFile(keyFile()), { mode: 0o600 });
    await rm(join(home, 'contexts'), { recursive: true });
    await configure(`[contexts.prod.signing_key]\ncommand = ["cat", "${vault}"]\n`);
    expect(await create()).toMatchObject({ code: 0 });
    expect(await readdir(join(home, 'contexts/prod/signing'))).not.toContain('key.pem');
    expect(await evidence('key', 'rotate', '--reason', 'x', '--yes')).toMatchObject({ code: 6 });
    expect(await evidence('verify')).toMatchObject({ code: 0 });
  });

  it('whose making or rotation is killed at any moment are made or rotated by the next run, whole', async () => {
    const seed = Number(process.env.EVIDENCE_SEED ?? randomInt(1 << 30));
    const env = { NESTCTL_HOME: home, NESTCTL_CONFIG: join(home, 'contexts.toml') };
    const cut = async (at: number, ...args: string[]) => {
      const child = startConsole(['evidence', 'key', ...args], { env });
      child.stdin.end();
      const ended = finished(child);
      // What is written is written in the last tenths of a second.
      await sleep(180 + (((seed % 997) * 31 * (at + 1)) % 200));
      child.kill('SIGKILL');
      return await ended;
    };
    let killed = 0;
    for (let at = 0; at < 8; at += 1) {
      if (
        (await cut(at, ...(at < 2 ? ['create', '--reason', 'x'] : ['rotate', '--reason', 'x', '--yes'])))
          .signal === 'SIGKILL'
      )
        killed += 1;
      if (at === 1) expect([0, 6]).toContain((await create()).code);
      if (at > 1) expect(await evidence('verify'), `EVIDENCE_SEED=${seed}`).toMatchObject({ code: 0 });
    }
    expect(killed).toBeGreaterThan(0);
    expect(await evidence('key', 'rotate', '--reason', 'x', '--yes')).toMatchObject({ code: 0 });
    expect(await evidence('verify')).toMatchObject({ code: 0 });
    const keys = (await evidence('key', 'publish', '--json')).json.result.keys as { retired_at?: string }[];
    expect(keys.filter(({ retired_at }) => retired_at === undefined)).toHaveLength(1);
    // Created and retired, each once, whatever was killed in between.
    const { records } = (await evidence('list', '--json')).json.result;
    expect(records).toHaveLength(keys.length * 2 - 1);
    const names = await readdir(join(home, 'contexts/prod/signing'));
    expect(names.filter((name) => name.includes('key.pem'))).toEqual(['key.pem']);
  }, 90_000);

  it('and records lie where the context says', async () => {
    await configure(
      '[contexts.prod.signing_key]\nfile = "own.pem"\n[contexts.prod.evidence]\nfolder = "records"\n',
    );
    expect(await create()).toMatchObject({ code: 0 });
    expect(await readdir(join(home, 'records/keys'))).toEqual(['000001.json']);
    expect((await stat(join(home, 'own.pem'))).mode & 0o777).toBe(0o600);
    await configure('[contexts.prod.signing_key]\nfile = "a"\ncommand = ["b"]\n');
    expect(await evidence('list')).toMatchObject({ code: 1 });
  });

  it('are never shown: not the private half, in any output, error, page, record or process list', async () => {
    const seen = watchProcesses();
    await create('--verbose');
    await create('--for', 'ledger', '--verbose');
    const pem = await readFile(keyFile(), 'utf8');
    const secrets = [
      pem.split('\n')[1] ?? '',
      createPrivateKey(pem).export({ format: 'jwk' }).d ?? '',
      JSON.parse(await readFile(join(home, 'contexts/prod/signing/ledger-keys.json'), 'utf8')).keys[0]
        .k as string,
    ];
    await evidence('show', 'keys/1', '--html', join(home, 'page.html'), '--verbose', '--json');
    await evidence('key', 'publish', '--to', join(home, 'keys.json'), '--verbose');
    await evidence('list', '--json', '--verbose');
    await create('--verbose');
    await writeFile(keyFile(), pem.replace('END', 'EN'));
    await create('--verbose');
    await evidence('verify', '--verbose');
    const files = [
      'page.html',
      'keys.json',
      'contexts/prod/signing/keys.json',
      'contexts/prod/evidence/keys/000001.json',
    ];
    for (const name of files) said += await readFile(join(home, name), 'utf8');
    said += Buffer.from(JSON.parse(await readFile(record(1), 'utf8')).payload, 'base64').toString();
    said += await seen();
    expect(said).toContain('evidence key create');
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(40);
      expect(said).not.toContain(secret);
    }
  });
});

/** Command lines and environments of all processes that come by. */
function watchProcesses(): () => Promise<string> {
  let found = '';
  let going = true;
  const watch = (async () => {
    while (going) {
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        for (const part of ['cmdline', 'environ']) {
          found += (await readFile(`/proc/${pid}/${part}`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return async () => {
    going = false;
    await watch;
    return found;
  };
}
