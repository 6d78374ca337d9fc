import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { finished, startConsole } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/evidence.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { unzip } from '../support/packages.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'her access request', '--ticket', 'DSR-1'];
const ASKED = ['--kind', 'access', '--channel', 'email', '--asks', 'all you hold'];

let database: TestDatabase;
let me: OperatorConsole;

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
  expect((await me.run(['evidence', 'key', 'create', ...WHY])).code).toBe(0);
});
afterAll(() => database?.drop());

/** A request of somebody's for their data. */
async function asked(family?: SmallFamily): Promise<string> {
  family ??= await makeFamily(database, { name: 'Tremblay' });
  const opened = await me.json(['request', 'open', ...ASKED, '--user', family.core.id, ...WHY, '--yes']);
  return opened.body.result.request.number;
}
const verify = (number: string) =>
  me.json(['request', 'verify-identity', number, '--method', 'signed_in', ...WHY, '--yes']);

test('a package is planned, asked about, written whole for its owner alone, recorded and verified', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'package.zip');
  const number = await asked();
  const create = ['export', 'create', number, '--file', file, ...WHY];
  expect(await me.json([...create, '--yes'])).toMatchObject({
    code: 6,
    body: { error: { code: 'identity_not_verified', next: `nestctl request verify-identity ${number}` } },
  });
  expect((await verify(number)).code).toBe(0);

  const dry = await me.json([...create, '--dry-run']);
  expect([dry.code, dry.body.result.dry_run, dry.body.result.plan.rows > 5]).toEqual([0, true, true]);
  expect((await me.json(create)).code).toBe(7);
  expect(readdirSync(folder)).toEqual([]);

  const done = await me.json([...create, '--yes']);
  expect(done).toMatchObject({
    code: 0,
    body: { result: { request: number, file } },
  });
  expect(done.body.meta.events.tables.map((one: { table: string }) => one.table)).toContain(
    'privacy.exports',
  );
  expect([readdirSync(folder), statSync(file).mode & 0o777]).toEqual([['package.zip'], 0o600]);
  expect(await me.json(['export', 'verify', file])).toMatchObject({
    code: 0,
    body: { result: { verified: true } },
  });

  expect(await me.json([...create, '--yes'])).toMatchObject({
    code: 6,
    body: { error: { code: 'file_exists' } },
  });
  const again = ['export', 'create', number, '--file', join(folder, 'again.zip'), '--yes'];
  const { stdout, stderr, code } = await me.run(again);
  expect([code, stdout]).toEqual([0, expect.stringContaining(`answers ${number}`)]);
  expect(stderr).toContain(`next  nestctl export verify ${join(folder, 'again.zip')}`);
});

test('a package is reviewed before it is made: what it gives, and what its person sees', async () => {
  const family = await makeFamily(database, { name: 'Bouchard' });
  const page = join(temporaryFolder(), 'sheet.html');
  for (const command of ['plan', 'review'])
    expect(await me.json(['export', command, ...WHY])).toMatchObject({
      code: 7,
      body: { error: { code: 'person_missing', next: `nestctl export ${command} --help` } },
    });
  const number = await asked(family);
  expect(await me.json(['export', 'review', number, ...WHY])).toMatchObject({
    code: 6,
    body: { error: { code: 'identity_not_verified' } },
  });
  expect((await verify(number)).code).toBe(0);
  const reviewed = await me.json(['export', 'review', number, '--html', page, '--language', 'fr', ...WHY]);
  expect(reviewed).toMatchObject({
    code: 0,
    body: { result: { request: number, person: family.core.id, html: page, views: { unconnected: 0 } } },
  });
  const { views, rows } = reviewed.body.result;
  expect(views.both + views.unseen + views.not_in_app).toBe(rows);
  const children = views.tables.find((one: { table: string }) => one.table === 'public.children');
  expect(children).toMatchObject({ given: 0, beyond: [{ why: 'of_children', family: family.id }] });
  expect(readFileSync(page, 'utf8')).toContain(`Avant sa production pour ${number}`);
  expect(statSync(page).mode & 0o777).toBe(0o600);

  const { stdout, stderr } = await me.run(['export', 'review', number, ...WHY]);
  expect(stdout).toContain('Seen by the person in the app, and not given');
  expect(stdout).toContain('about a child: given to whoever is recorded as its guardian');
  expect(stderr).toContain(`next  nestctl export create ${number} --file FILE`);
  const csv = await me.run(['export', 'review', '--user', family.core.id, '--format', 'csv', ...WHY]);
  expect(csv.stdout.split('\n')[0]).toContain('given, unseen');
  const planned = await me.json(['export', 'plan', '--user', family.core.id, ...WHY]);
  expect(planned.body.meta.next).toBe(`nestctl export review --user ${family.core.id}`);

  expect(await me.json(['export', 'review', number, '--user', family.core.id, ...WHY])).toMatchObject({
    code: 2,
  });
  expect(await me.json(['export', 'review', ...WHY])).toMatchObject({ code: 7 });
  await withConnection(database.superuser, (superuser) =>
    superuser.query(
      'create policy everybody on public.consent_records for select to authenticated using (true)',
    ),
  );
  const other = await makeFamily(database, { name: 'Côté' });
  await withConnection(database.superuser, (superuser) =>
    superuser.query(
      `insert into public.consent_records (user_id, consent_type, consent_version, status, granted_at) values ($1, 'marketing', '1', 'granted', now())`,
      [other.core.id],
    ),
  );
  const found = await me.json(['export', 'review', number, ...WHY]);
  await withConnection(database.superuser, (superuser) =>
    superuser.query('drop policy everybody on public.consent_records'),
  );
  expect([found.code, found.body.result.views.unconnected > 0]).toEqual([3, true]);
});

test('the package of a child is for a guardian of record who may act for it', async () => {
  const family = await makeFamily(database, { name: 'Gagnon' });
  const file = join(temporaryFolder(), 'child.zip');
  const child = ['--family', family.id, '--child', family.child];
  const asks = ['--requester', 'guardian', '--requester-user', family.core.id, '--language', 'fr'];
  const opened = await me.json(['request', 'open', ...ASKED, ...child, ...asks, ...WHY, '--yes']);
  const { number } = opened.body.result.request;
  const plan = ['export', 'plan', '--child', family.child, ...WHY];
  expect(await me.json(plan)).toMatchObject({ code: 6, body: { error: { code: 'identity_not_verified' } } });
  const add = ['guardian', 'add', ...child, '--user', family.core.email, '--basis', 'parent', '--evidence'];
  const added = await me.json([...add, 'act_of_birth', '--from', '2025-02-03', ...WHY, '--yes']);
  const seen = ['--method', 'signed_in', '--authority', 'guardian_of_record'];
  expect((await me.json(['request', 'verify-identity', number, ...seen, ...WHY, '--yes'])).code).toBe(0);

  const planned = await me.json(plan);
  expect(planned.body.result).toMatchObject({ person: family.child, subject_kind: 'child', language: 'fr' });
  const create = ['export', 'create', number, '--file', file, ...WHY, '--yes'];
  expect(await me.json(create)).toMatchObject({ code: 0, body: { result: { person: family.child } } });
  const files = await unzip(file);
  expect(files.get('index.html')).toContain('Renseignements personnels d’un enfant');
  expect([...files.values()].join('')).not.toContain(family.core.email);

  const { id } = added.body.result.guardian;
  const end = ['guardian', 'end', id, '--family', family.id, '--because', 'deprivation', ...WHY, '--yes'];
  expect((await me.json(end)).code).toBe(0);
  expect(await me.json([...create.slice(0, 4), `${file}.2`, ...WHY, '--yes'])).toMatchObject({
    code: 6,
    body: { error: { code: 'not_a_guardian' } },
  });
  expect(existsSync(`${file}.2`)).toBe(false);
});

test('killed at any moment, no file stands where a package belongs that is not whole', async () => {
  const folder = temporaryFolder();
  const number = await asked();
  await verify(number);
  for (const after of [400, 700, 1000, 1300]) {
    const file = join(folder, `${after}.zip`);
    const child = startConsole(['export', 'create', number, '--file', file, ...WHY, '--yes'], {
      env: me.env,
    });
    const end = finished(child);
    await sleep(after);
    child.kill('SIGTERM');
    await end;
    if (existsSync(file)) expect((await me.json(['export', 'verify', file])).code).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  }
});

/** A verified request of somebody's who got so many messages that their package is not made in a moment. */
async function askedForMuch(): Promise<{ number: string; marker: string }> {
  const family = await makeFamily(database, { name: 'Tremblay' });
  const marker = randomUUID();
  await withConnection(database.superuser, (superuser) =>
    superuser.query(
      `insert into public.notification_logs (user_id, notification_type, channel, title, message)
       select $1, 'usage_reminder', 'push', $2, md5(n::text) || md5((n + 1)::text) from generate_series(1, 12000) n`,
      [family.core.id, marker],
    ),
  );
  const number = await asked(family);
  await verify(number);
  return { number, marker };
}

test('killed without a chance to tidy up, the next run removes what was left, says so, and one whole file stands', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'package.zip');
  const { number } = await askedForMuch();
  const create = ['export', 'create', number, '--file', file, ...WHY, '--yes'];
  const hidden = () => readdirSync(folder).filter((name) => name.startsWith('.'));
  const written = () => hidden().some((name) => statSync(join(folder, name)).size > 10_000);
  const child = startConsole(create, { env: me.env });
  const end = finished(child);
  while (!written()) await sleep(1);
  // While it is at work its file is its own, however slowly it goes on.
  child.kill('SIGSTOP');
  expect(await me.json(create)).toMatchObject({ code: 6, body: { error: { code: 'being_written' } } });
  child.kill('SIGKILL');
  expect((await end).signal).toBe('SIGKILL');
  const [left = '', ...more] = hidden();
  expect([more, statSync(join(folder, left)).mode & 0o777]).toEqual([[], 0o600]);
  // Of other targets, whatever they are called, and not made by nestctl.
  const strangers = ['.package.zip', '.package.zip.partial', left.replace('package', 'packagf')];
  for (const name of strangers) writeFileSync(join(folder, name), 'kept');
  const elsewhere = left.replace(/-[0-9a-f]{12}-/, '-000000000000-');
  writeFileSync(join(folder, elsewhere), 'kept');

  expect((await me.json([...create, '--dry-run'])).code).toBe(0);
  expect(hidden()).toContain(left);
  const again = await me.json(create);
  expect(again.code).toBe(0);
  expect(again.body.warnings).toContainEqual({
    code: 'leftover_removed',
    message: expect.stringMatching(
      new RegExp(`^Removed .*: ${join(folder, left)}\\. Another machine .*: ${join(folder, elsewhere)}\\.`),
    ),
  });
  expect(readdirSync(folder).sort()).toEqual([...strangers, elsewhere, 'package.zip'].sort());
  expect((await me.json(['export', 'verify', file])).code).toBe(0);
});

test('nothing of a package can be read anywhere but beside its place, neither while it is made nor for good', async () => {
  const folder = temporaryFolder();
  const home = temporaryFolder();
  const temporary = join(home, 'tmp');
  mkdirSync(temporary);
  const { number, marker } = await askedForMuch();
  const env = { ...me.env, TMPDIR: temporary, HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
  const files = (under: string) =>
    readdirSync(under, { recursive: true })
      .map((name) => join(under, String(name)))
      .filter((path) => existsSync(path) && statSync(path).isFile());
  const kept = new Set(files(me.env.NESTCTL_HOME as string));
  const seen: Buffer[] = [];
  for (const signal of [undefined, 'SIGKILL'] as const) {
    const child = startConsole(
      ['export', 'create', number, '--file', join(folder, `${signal}.zip`), ...WHY, '--yes'],
      { env },
    );
    let over = false;
    const end = finished(child).then((result) => {
      over = true;
      return result;
    });
    const opened = new Set<string>();
    let rounds = 0;
    while (!over) {
      for (const { path, bytes } of filesOpenIn(child.pid as number)) {
        opened.add(path);
        if (path.startsWith(temporary) && bytes.length > 0 && seen.length < 100) seen.push(bytes);
      }
      for (const path of files(temporary)) opened.add(path);
      const began = [...opened].some((path) => path.endsWith('.partial'));
      if (began && signal !== undefined) rounds += 1;
      if (rounds === 20) child.kill(signal);
      await sleep(1);
    }
    expect((await end).signal).toBe(signal ?? null);
    const own = (path: string) => path.startsWith(join(folder, `.${signal}.zip.`));
    expect([...opened].filter(own)).toHaveLength(1);
    const others = [...opened, ...files(home), ...files(me.env.NESTCTL_HOME as string)].filter(
      (path) => !own(path) && !kept.has(path) && existsSync(path),
    );
    for (const path of others) expect(readFileSync(path, 'utf8'), path).not.toContain(marker);
    // What waits for its turn is encrypted, in files that lose their name before a byte is in them.
    const waiting = [...opened].filter((path) => path.startsWith(temporary));
    expect(waiting.filter((path) => !/\/nestctl-spool-\w+\/spool( \(deleted\))?$/.test(path))).toEqual([]);
    expect(files(temporary).filter((path) => statSync(path).size > 0)).toEqual([]);
  }
  expect(seen.length).toBeGreaterThan(0);
  for (const bytes of seen) expect(inflates(bytes)).toBe(false);
});

/** Whether bytes are the beginning of something deflated. */
function inflates(bytes: Buffer): boolean {
  try {
    return inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).length > 1_000;
  } catch {
    return false;
  }
}

/** Regular files that a process has open for writing, those without a name any more among them. */
function filesOpenIn(pid: number): { path: string; bytes: Buffer }[] {
  return quietly(() => readdirSync(`/proc/${pid}/fd`)).flatMap((fd) =>
    quietly(() => {
      const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
      const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
      const path = readlinkSync(`/proc/${pid}/fd/${fd}`);
      if ((flags & 3) === 0 || !path.startsWith('/') || path.startsWith('/dev/')) return [];
      const waiting = path.includes('/nestctl-spool-');
      return [{ path, bytes: waiting ? readFileSync(`/proc/${pid}/fd/${fd}`) : Buffer.alloc(0) }];
    }),
  );
}

/** Nothing where it is gone meanwhile. */
function quietly<T>(look: () => T[]): T[] {
  try {
    return look();
  } catch {
    return [];
  }
}
