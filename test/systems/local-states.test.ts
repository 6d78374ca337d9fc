import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadContexts } from '../../src/platform/config/context-file.js';
import { down, reset, status, type UpStage, up } from '../../src/platform/local/index.js';
import { readPasswords, writePasswords } from '../../src/platform/local/pgpass.js';
import { askLocal, until, useLocalHome } from '../support/local.js';

const place = useLocalHome();

async function segments(): Promise<number> {
  return (await readdir(place.paths.wal)).length;
}

test('twice is harmless, and down and up keep port, data and passwords', async () => {
  const first = await up();
  await askLocal('create table public.kept (id int)', 'postgres');
  const config = await readFile(place.config, 'utf8');
  const second = await up();
  expect(second).toMatchObject({
    started: false,
    made: false,
    pid: first.pid,
    port: first.port,
    applied: [],
  });

  expect(await down()).toMatchObject({ stopped: true });
  expect(await status()).toMatchObject({ state: 'stopped', pid: null, port: first.port });
  await expect(askLocal('select')).rejects.toMatchObject({ code: 'server_down' });
  expect(await down()).toMatchObject({ stopped: false });

  const third = await up();
  expect(third).toMatchObject({ started: true, made: false, port: first.port, applied: [] });
  expect(third.pid).not.toBe(first.pid);
  expect(await askLocal('select from public.kept', 'postgres')).toEqual([]);
  expect(await readFile(place.config, 'utf8')).toBe(config);
});

test('two at once make one cluster', async () => {
  const stages: UpStage[] = [];
  const work = Promise.all([up(), up({ onStage: (stage) => stages.push(stage) })]);
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  const seen = new Set<string>();
  while (!done) seen.add((await status()).state);
  const reports = await finished;
  expect([...seen].filter((state) => state !== 'absent' && state !== 'running')).toEqual(['busy']);
  expect(new Set(reports.map(({ pid }) => pid)).size).toBe(1);
  expect(reports.filter(({ made }) => made)).toHaveLength(1);
});

test('what an interrupted run left is recognised and made anew', async () => {
  await mkdir(join(place.paths.cluster, 'making-1234abcd', 'data', 'base'), { recursive: true });
  await mkdir(join(place.paths.data, 'base'), { recursive: true });
  await writeFile(join(place.paths.data, 'PG_VERSION'), '17\n');
  expect(await status()).toMatchObject({ state: 'half-made' });
  const stages: string[] = [];
  const report = await up({ onStage: ({ type }) => stages.push(type) });
  expect(report).toMatchObject({ made: true, started: true });
  expect(stages).toContain('half-made');
  expect((await readdir(place.paths.cluster)).filter((name) => name.startsWith('making-'))).toEqual([]);
  expect(await status()).toMatchObject({ state: 'running' });
});

test('a whole cluster that is not ours is moved aside, never deleted, and so is WAL of another one', async () => {
  await mkdir(join(place.paths.data, 'global'), { recursive: true });
  await writeFile(join(place.paths.data, 'PG_VERSION'), '17\n');
  await writeFile(join(place.paths.data, 'global', 'pg_control'), 'precious');
  await mkdir(place.paths.wal);
  await writeFile(join(place.paths.wal, '000000010000000000000001'), 'older');
  const aside: string[] = [];
  await up({ onStage: (stage) => stage.type === 'set-aside' && aside.push(stage.path) });
  expect(aside).toHaveLength(2);
  expect(await readFile(join(aside[0] ?? '', 'global', 'pg_control'), 'utf8')).toBe('precious');
  expect(await readFile(join(aside[1] ?? '', '000000010000000000000001'), 'utf8')).toBe('older');
});

test('a lost password file is mended without losing data', async () => {
  await up();
  await askLocal('create table public.kept (id int)', 'postgres');
  await rm(place.paths.passfile);
  const stages: string[] = [];
  const report = await up({ onStage: ({ type }) => stages.push(type) });
  expect(stages).toContain('rescuing');
  expect(report).toMatchObject({ made: false });
  expect(await askLocal('select from public.kept', 'postgres')).toEqual([]);

  const passwords = await readPasswords(place.paths.passfile);
  await writePasswords(place.paths.passfile, report.port, new Map(passwords).set('camille.roy', 'other'));
  await up();
  expect(await askLocal('select session_user as me')).toEqual([{ me: 'camille.roy' }]);
});

test('reset removes data, WAL and passwords, and makes all anew', async () => {
  const before = await up();
  await askLocal('create table public.gone (id int)', 'postgres');
  await askLocal('select pg_switch_wal()', 'postgres');
  await until('a segment is archived', async () => (await segments()) > 0);
  const secret = (await readPasswords(place.paths.passfile)).get('postgres');
  const old = join(place.paths.wal, '0000000100000000000000FF');
  await writeFile(old, '');

  const report = await reset();
  expect(report).toMatchObject({ made: true, started: true });
  expect(report.pid).not.toBe(before.pid);
  expect(await askLocal(`select to_regclass('public.gone') as gone`)).toEqual([{ gone: null }]);
  expect((await readPasswords(place.paths.passfile)).get('postgres')).not.toBe(secret);
  // The new cluster archives segments of its own.
  expect(existsSync(old)).toBe(false);
});

test('a context of ours that points elsewhere is not overwritten', async () => {
  await mkdir(join(place.config, '..'), { recursive: true });
  const text =
    '[contexts.local]\nkind = "server"\nhost = "db.example.ca"\ndatabase = "nestsync"\nuser = "me"\n';
  await writeFile(place.config, text, { mode: 0o600 });
  await expect(up()).rejects.toMatchObject({ code: 'context_taken', exitCode: 6 });
  expect(await readFile(place.config, 'utf8')).toBe(text);
  expect(await status()).toMatchObject({ state: 'absent' });
});

test('other contexts and the current one are kept', async () => {
  await mkdir(join(place.config, '..'), { recursive: true });
  const text =
    'current = "prod"\n[contexts.prod]\nkind = "server"\nhost = "db.example.ca"\ndatabase = "nestsync"\nuser = "me"\n';
  await writeFile(place.config, text, { mode: 0o600 });
  await up();
  const { current, contexts } = await loadContexts();
  expect(current).toBe('prod');
  expect(Object.keys(contexts)).toEqual(['prod', 'local', 'local-second']);
});
