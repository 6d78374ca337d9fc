import { copyFile, open as openFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { stopServer } from '../../src/platform/local/server.js';
import { type ArchivingServer, startArchiving } from '../support/archiving-server.js';
import { finished, runConsole, startConsole } from '../support/console.js';

const WHY = ['--reason', 'somebody deleted everything', '--ticket', 'OPS-9'];

let here: ArchivingServer;
beforeAll(async () => {
  here = await startArchiving();
}, 120_000);
afterAll(() => here?.stop());

const sql = <Row extends object>(statement: string, values: unknown[] = []) =>
  withConnection(here.database.superuser, (connection) => connection.query<Row>(statement, values));

/** What a restored instance answers, by its socket. */
const inside = (socket: string, statement: string) =>
  withConnection(
    { ...here.database.superuser, host: socket, port: 5432, user: 'postgres', password: undefined },
    (connection) => connection.query<Record<string, unknown>>(statement),
  );

const restoredRows = async (socket: string) =>
  (await inside(socket, 'select count(*)::int as rows from public.usage_logs'))[0]?.rows;

const levels = (body: { result: { findings: { name: string; level: string }[] } }) =>
  Object.fromEntries(body.result.findings.map(({ name, level }) => [name, level]));

/** So many logs of one family, and the moment after. */
async function log(count: number): Promise<string> {
  await sql(
    `with family as (insert into public.families (name) values ('Lavoie') returning id),
       child as (insert into public.children (family_id, name, date_of_birth) select id, 'Léa', '2025-02-03' from family returning family_id, id)
     insert into public.usage_logs (family_id, child_id, usage_type) select family_id, id, 'diaper_change' from child, generate_series(1, $1::integer)`,
    [count],
  );
  const [row] = await sql<{ now: Date }>('select clock_timestamp() as now');
  // Later than the commit by more than a clock of milliseconds can hide.
  await sleep(5);
  return new Date((row?.now.getTime() ?? 0) + 2).toISOString();
}

test('without a backup everything says so, and what makes one', async () => {
  expect((await here.json('backup', 'list')).body.result.backups).toEqual([]);
  const check = await here.json('backup', 'check');
  expect([check.code, levels(check.body)['newest backup']]).toEqual([3, 'error']);
  expect(check.body.meta.next).toBe('nestctl backup create');
  expect((await here.json('backup', 'verify')).body.error).toMatchObject({ code: 'no_backup', exitCode: 5 });
  const run = await here.json('restore', 'run', '--latest', ...WHY);
  expect(run.body.error).toMatchObject({
    code: 'target_unreachable',
    exitCode: 6,
    next: 'nestctl backup create',
  });
});

describe('from a backup to the moment before the mistake', () => {
  let good: string;
  let rows: number;
  let event: string;
  beforeAll(async () => {
    await log(10);
    const made = await here.json('backup', 'create', ...WHY);
    expect(made.code, JSON.stringify(made.body)).toBe(0);
    good = await log(300);
    rows = (await sql('select from public.usage_logs')).length;
    await sql('delete from public.usage_logs');
    const [found] = await sql<{ id: string }>(
      `select min(id)::text as id from audit.events where table_name = 'public.usage_logs' and operation = 'DELETE'`,
    );
    event = found?.id as string;
    await log(1);
  }, 60_000);

  test('a backup is listed, shown, and as it was made', async () => {
    const { backups, archive } = (await here.json('backup', 'list')).body.result;
    expect(backups).toMatchObject([{ engine: 'local', type: 'full', state: 'complete', timeline: 1 }]);
    expect(backups[0].system).toMatch(/^\d{19}$/);
    expect(archive.timelines).toMatchObject([{ timeline: 1, missing: [] }]);
    const verified = await here.json('backup', 'verify');
    expect([verified.code, verified.body.result.damage]).toEqual([0, []]);
    expect(verified.body.result.files).toBeGreaterThan(900);
    const check = await here.json('backup', 'check');
    expect(levels(check.body)).toMatchObject({
      'newest backup': 'ok',
      'RPO now': 'ok',
      'log without gaps': 'ok',
    });
    // What a backup holds is for the caller alone.
    const shown = await runConsole(['backup', 'show'], { env: here.env });
    expect(shown.stdout).toContain(backups[0].id);
  });

  test('the audit event names the moment, and everything live is left alone', async () => {
    const advice = await here.json('restore', 'target', '--before-event', event, ...WHY);
    expect([advice.code, advice.body.result.reachable], JSON.stringify(advice.body)).toEqual([0, 'yes']);
    const live = await sql('select from public.usage_logs');
    const { code, body } = await here.json('restore', 'run', '--before-event', event, ...WHY);
    expect(code, JSON.stringify(body)).toBe(0);
    const { id, socket } = body.result.restore;
    expect(await restoredRows(socket)).toBe(rows);
    expect(await sql('select from public.usage_logs')).toHaveLength(live.length);
    const settings = await inside(
      socket,
      `select name, setting from pg_settings where name in ('listen_addresses', 'archive_mode', 'shared_preload_libraries', 'max_logical_replication_workers') order by name`,
    );
    expect(settings.map(({ setting }) => setting)).toEqual(['off', '', '0', '']);
    const sound = await here.json('restore', 'verify', id);
    expect(sound.code, JSON.stringify(sound.body)).toBe(9);
    const open = sound.body.result.findings.filter(({ level }: { level: string }) => level !== 'ok');
    expect(open.map(({ name, level }: { name: string; level: string }) => [name, level])).toEqual([
      ['erasures and decisions', 'unknown'],
    ]);
    const status = await here.json('restore', 'status');
    expect(status.body.result.restores).toMatchObject([{ id, state: 'open', reason: WHY[1] }]);
    expect((await here.json('restore', 'discard', id, '--yes', ...WHY)).code).toBe(0);
    expect((await here.json('restore', 'status')).body.result.restores).toEqual([]);
    expect(await readdir(join(here.server.folder, 'restores'))).toEqual([]);
  });

  test('what was restored is examined, and what is wrong with it is found', async () => {
    const { body } = await here.json('restore', 'run', '--before-event', event, ...WHY);
    const { id, socket, data } = body.result.restore;
    // Written long before the backup: nothing of it is in memory yet.
    const [path] = await inside(socket, `select pg_relation_filepath('public.role_permissions') as path`);
    await inside(socket, 'drop policy families_member_select on public.families');
    await inside(socket, `select setval(pg_get_serial_sequence('audit.events', 'id'), 1)`);
    const file = await openFile(join(data, path?.path as string), 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 8_000);
    await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 8_000);
    await file.close();
    const damaged = await here.json('restore', 'verify', id);
    expect(damaged.code).toBe(3);
    const found = damaged.body.result.findings.filter(({ level }: { level: string }) => level === 'error');
    const named = new Set(found.map(({ name }: { name: string }) => name));
    expect([...named], JSON.stringify(found)).toEqual(
      expect.arrayContaining(['page checksums', 'tables and indexes', 'catalogue', 'sequences']),
    );
    expect(JSON.stringify(found)).toContain('public.role_permissions');
    await here.json('restore', 'discard', id, '--yes', ...WHY);
    expect((await here.json('restore', 'verify', id)).body.error).toMatchObject({
      code: 'no_restore',
      exitCode: 5,
    });
  }, 60_000);

  test('a moment, the end of the log, a place in it and a restore point', async () => {
    await sql(`select pg_create_restore_point('before lunch')`);
    const [place] = await sql<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
    await log(7);
    for (const [words, expected] of [
      [['--to', good], rows],
      [['--latest'], 8],
      [['--lsn', place?.lsn as string], 1],
      [['--point', 'before lunch'], 1],
    ] as const) {
      const { code, body } = await here.json('restore', 'run', ...words, ...WHY);
      expect(code, JSON.stringify([words, body])).toBe(0);
      const { id, socket } = body.result.restore;
      expect(await restoredRows(socket), words.join(' ')).toBe(expected);
      await here.json('restore', 'discard', id, '--yes', ...WHY);
    }
  }, 60_000);

  test('what cannot be reached is said before anything is restored, with the nearest that can', async () => {
    for (const [words, why] of [
      [['--to', '2026-01-01T00:00:00Z'], /first backup ended/],
      [['--to', '2999-01-01T00:00:00Z'], /future/],
    ] as const) {
      const advice = await here.json('restore', 'target', ...words, ...WHY);
      expect([advice.code, advice.body.result.reachable]).toEqual([3, 'no']);
      expect(advice.body.result.why).toMatch(why);
      expect(advice.body.result.nearest).not.toBeNull();
      const run = await here.json('restore', 'run', ...words, ...WHY);
      expect(run.body.error).toMatchObject({ code: 'target_unreachable', exitCode: 6 });
    }
    const point = await here.json('restore', 'run', '--point', 'never made', ...WHY);
    expect(point.body.error, JSON.stringify(point.body)).toMatchObject({
      code: 'target_not_reached',
      exitCode: 6,
    });
    expect((await here.json('restore', 'run', '--lsn', 'x', ...WHY)).code).toBe(2);
    expect((await here.json('restore', 'run', ...WHY)).code).toBe(2);
    expect((await here.json('restore', 'status')).body.result.restores).toEqual([]);
  }, 60_000);

  test('killed in the midst of it, nothing stays of a restore or a backup once the next is run', async () => {
    for (const words of [
      ['restore', 'run', '--latest', ...WHY],
      ['backup', 'create', ...WHY],
    ]) {
      const child = startConsole(words, { env: here.env });
      child.stdin.end();
      await sleep(1_100);
      child.kill('SIGKILL');
      await finished(child);
    }
    const { body } = await here.json('restore', 'run', '--latest', ...WHY);
    await here.json('restore', 'discard', body.result.restore.id, '--yes', ...WHY);
    expect(await readdir(join(here.server.folder, 'restores'))).toEqual([]);
    expect((await here.json('backup', 'create', ...WHY)).code).toBe(0);
    const names = (await readdir(here.backups)).filter((name) => !name.startsWith('.'));
    expect(names.filter((name) => name.endsWith('.unfinished'))).toEqual([]);
    const { backups } = (await here.json('backup', 'list')).body.result;
    expect(backups.map(({ state }: { state: string }) => state)).not.toContain('failed');
  }, 60_000);

  test('a backup whose bytes were changed is told by name, and nothing is restored from it', async () => {
    const newest = (await here.json('backup', 'show')).body.result.backup;
    const base = join(here.backups, newest.id, 'base.tar');
    await copyFile(base, `${base}.kept`);
    const file = await openFile(base, 'r+');
    const { size } = await file.stat();
    const at = Math.floor(size / 2);
    const [byte = 0] = (await file.read(Buffer.alloc(1), 0, 1, at)).buffer;
    await file.write(Buffer.from([byte ^ 1]), 0, 1, at);
    await file.close();
    const verified = await here.json('backup', 'verify', newest.id);
    expect([verified.code, verified.body.result.damage.length]).toEqual([3, 1]);
    const run = await here.json('restore', 'run', '--latest', ...WHY);
    expect(run.body.error, JSON.stringify(run.body)).toMatchObject({ code: 'backup_damaged', exitCode: 3 });
    await rename(`${base}.kept`, base);
    expect((await here.json('backup', 'verify', newest.id)).code).toBe(0);
  }, 60_000);

  test('a file of the log that is gone is named, and what is behind it is reached from a later backup', async () => {
    const { backups } = (await here.json('backup', 'list')).body.result;
    const [newest, oldest] = [backups[0], backups.at(-1)];
    expect(newest.start_segment > oldest.stop_segment).toBe(true);
    const between = (await readdir(here.wal))
      .filter((name) => name > oldest.stop_segment && name < newest.start_segment && name.length === 24)
      .sort()[0] as string;
    await rename(join(here.wal, between), join(here.server.folder, between));
    const check = await here.json('backup', 'check');
    expect([check.code, levels(check.body)['log without gaps']]).toEqual([3, 'error']);
    expect(JSON.stringify(check.body.result.findings)).toContain(between);
    const advice = await here.json('restore', 'target', '--latest', ...WHY);
    expect(advice.body.result).toMatchObject({ reachable: 'yes', backup: { id: newest.id } });
    const lost = await here.json('restore', 'target', '--to', newest.started_at, ...WHY);
    expect([lost.code, lost.body.result.gap?.from], JSON.stringify(lost.body)).toEqual([3, between]);
    await rename(join(here.server.folder, between), join(here.wal, between));
    expect(levels((await here.json('backup', 'check')).body)['log without gaps']).toBe('ok');
  }, 60_000);

  test('only what 30 days do not need is given up', async () => {
    const { backups } = (await here.json('backup', 'list')).body.result;
    const [newest, oldest] = [backups[0], backups.at(-1)];
    const aged = async (id: string, days: number) => {
      const path = join(here.backups, id, 'backup.json');
      const stopped_at = new Date(Date.now() - days * 86_400_000).toISOString();
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), stopped_at }));
    };
    await aged(oldest.id, 45);
    const old = await here.json('backup', 'check');
    expect(levels(old.body)['forgotten in time']).toBe('error');
    // All of the last 30 days is recovered from it.
    expect((await here.json('backup', 'expire', '--dry-run', ...WHY)).body.result.plan.backups).toEqual([]);
    await aged(newest.id, 31);
    const needed = (await readdir(here.wal)).filter((name) => name >= newest.start_segment);
    const done = await here.json('backup', 'expire', '--yes', ...WHY);
    expect([done.code, done.body.result.backups], JSON.stringify(done.body)).toEqual([
      0,
      backups.slice(1).map(({ id }: { id: string }) => id),
    ]);
    expect(done.body.result.segments).toBeGreaterThan(0);
    expect((await readdir(here.wal)).sort()).toEqual(needed.sort());
    expect((await here.json('backup', 'verify')).code).toBe(0);
  }, 60_000);

  test('with the server and its data folder gone, it is all recovered', async () => {
    await log(5);
    await here.json('restore', 'target', '--latest', ...WHY);
    const [{ count } = { count: 0 }] = await sql<{ count: number }>(
      'select count(*)::int as count from public.usage_logs',
    );
    await stopServer(here.server.data, { immediate: true });
    await rm(here.server.data, { recursive: true });
    const check = await here.json('backup', 'check');
    expect([check.code, levels(check.body)['RPO now']], JSON.stringify(check.body)).toEqual([3, 'unknown']);
    const { code, body } = await here.json('restore', 'run', '--latest', ...WHY);
    expect(code, JSON.stringify(body)).toBe(0);
    expect(await restoredRows(body.result.restore.socket)).toBe(count);
    const create = await here.json('backup', 'create', ...WHY);
    expect(create.body.error).toMatchObject({ code: 'server_down', exitCode: 6 });
    await here.json('restore', 'discard', body.result.restore.id, '--yes', ...WHY);
  }, 60_000);
});
