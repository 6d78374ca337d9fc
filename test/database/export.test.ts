import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishKeys, readKeySet, verifyPackage } from '../../src/evidence/index.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { unguardFormula } from '../../src/privacy/export/cell.js';
import {
  exportableRequest,
  openRequest,
  planExport,
  planOpening,
  planStep,
  type StepWish,
  takeStep,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import { seededRandom, testScale, testSeed } from '../support/model/random.js';
import { answerRequest, asCompliance, openRequestOf, unzip, writeExport } from '../support/packages.js';
import { checkPackage, exportedColumns } from '../support/planted-package.js';
import { PLANTED, plantPeople } from '../support/planted-people.js';
import { makeFamily, makeGuardian } from '../support/small-world.js';

let database: TestDatabase;
let operator: ConnectionTarget;
let exported: ReadonlySet<string>;
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('compliance');
  exported = await exportedColumns(database);
});
afterAll(() => database?.drop());

describe('what is planted', () => {
  it('stands in every column of public that can name somebody', async () => {
    const rows = await withConnection(database.superuser, (superuser) =>
      superuser.query<{ name: string }>(`
        select 'public.' || c.relname || '.' || a.attname as name
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and c.relname <> 'role_permissions'
          and a.atttypid = any ('{text,jsonb,json,text[]}'::regtype[])
          and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
            and pg_get_constraintdef(k.oid) ~ 'ANY \\(ARRAY|currency = ''CAD''')`),
    );
    const named = new Set(
      Object.entries(PLANTED).flatMap(([table, columns]) =>
        Object.keys(columns).map((column) => `${table}.${column}`),
      ),
    );
    expect(rows.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });
});

describe('the package of a person', () => {
  it('holds all of theirs, the joint ones, and nothing of anybody else, in random families', async () => {
    const seed = testSeed();
    const random = seededRandom(seed);
    for (let world = 0; world < 12 * testScale(); world += 1) {
      const planted = await plantPeople(database, random);
      const evidence = await newEvidence();
      const file = join(temporaryFolder(), 'package.zip');
      await asCompliance(operator, planted.subject, (session) =>
        writeExport(session, evidence, planted.subject, file),
      );
      const files = await unzip(file);
      try {
        checkPackage(planted, files, exported);
      } catch (error) {
        throw new Error(`NESTCTL_TEST_SEED=${seed}, world ${world}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  });
});

/** One package of a planted world. */
async function onePackage() {
  const world = await plantPeople(database, seededRandom(testSeed()));
  const evidence = await newEvidence();
  const folder = temporaryFolder();
  const file = join(folder, 'package.zip');
  const created = await asCompliance(operator, world.subject, (session) =>
    writeExport(session, evidence, world.subject, file),
  );
  const keys = join(folder, 'keys.json');
  await publishKeys(evidence, keys);
  return { world, evidence, file, keys, created, files: await unzip(file) };
}

describe('a package as a file', () => {
  it('verifies offline, and not after any byte of it was changed, cut off or put to it', async () => {
    const { file, keys, created } = await onePackage();
    const keySet = await readKeySet(keys);
    const verdict = async () => {
      const judged = await verifyPackage(file, keySet);
      return judged === undefined ? 'none' : Object.keys(judged)[0];
    };
    expect(await verdict()).toBe('proven');
    expect(await verifyStandalone(['--keys', keys, file])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`each of its ${created.files} files as its manifest says`),
    });
    const whole = await readFile(file);
    const random = seededRandom(testSeed());
    const places = new Set([
      ...Array.from({ length: 300 }, () => random.between(0, whole.length - 1)),
      ...Array.from({ length: 1400 }, (_, at) => whole.length - 1 - at),
      ...Array.from({ length: 60 }, (_, at) => at),
    ]);
    for (const at of places) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ (1 << random.between(0, 7));
      await writeFile(file, bytes);
      expect(await verdict(), `byte ${at} of ${whole.length}`).not.toBe('proven');
    }
    for (const bytes of [
      whole.subarray(0, -1),
      whole.subarray(1),
      Buffer.concat([whole, Buffer.from('\n')]),
      whole.subarray(0, 100),
    ]) {
      await writeFile(file, bytes);
      expect(await verdict()).not.toBe('proven');
    }
    expect(created.bytes).toBeLessThan(whole.length);
  });

  it('is recorded: for whom, on which request, by whom and by which hashes', async () => {
    const { world, created } = await onePackage();
    const [row] = await withConnection(database.superuser, (superuser) =>
      superuser.query(
        'select user_id, request, package_sha256, manifest_sha256, made_by, evidence from privacy.exports where id = $1',
        [created.id],
      ),
    );
    expect(row).toEqual({
      user_id: world.subject,
      request: created.request,
      package_sha256: created.package_sha256,
      manifest_sha256: created.manifest_sha256,
      made_by: operator.user,
      evidence: created.evidence,
    });
  });

  it('has a manifest with the hash of every file, the rows of every table, and what is not in it', async () => {
    const { files, created } = await onePackage();
    const manifest = JSON.parse(files.get('manifest.json') ?? '');
    const { createHash } = await import('node:crypto');
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(sha256(files.get('manifest.json') ?? '')).toBe(created.manifest_sha256);
    const listed = manifest.files as { path: string; sha256: string; rows?: number }[];
    expect(listed.map(({ path }) => path).sort()).toEqual(
      [...files.keys()].filter((path) => path !== 'manifest.json').sort(),
    );
    for (const { path, sha256: hash, rows } of listed) {
      expect(hash, path).toBe(sha256(files.get(path) ?? ''));
      if (path.endsWith('.json') && rows !== undefined)
        expect(JSON.parse(files.get(path) ?? '')).toHaveLength(rows);
    }
    expect(
      manifest.tables.find(({ table }: { table: string }) => table === 'public.notification_preferences')
        .withheld_columns,
    ).toContainEqual({ column: 'device_tokens', why: 'whoever holds it can send to the device' });
    expect(manifest.empty).toContain('ops.impersonations');
    expect(manifest.severances.reduce((sum: number, { times }: { times: number }) => sum + times, 0)).toBe(
      created.severances,
    );
    const places = (files.get('severances.csv') ?? '').trim().split('\r\n').slice(1);
    expect(places.reduce((sum, line) => sum + Number(line.split(',').at(-1)), 0)).toBe(created.severances);
  });
});

describe('a portable package', () => {
  it('holds what the person provided, and nothing else', async () => {
    const world = await plantPeople(database, seededRandom(testSeed()));
    const file = join(temporaryFolder(), 'package.zip');
    const evidence = await newEvidence();
    await asCompliance(operator, world.subject, (session) =>
      writeExport(session, evidence, world.subject, file, 'portability'),
    );
    const paths = [...(await unzip(file)).keys()].filter((path) => !path.startsWith('schema/'));
    expect(paths).toContain('provided/users.json');
    expect(paths.filter((path) => path.includes('/') && !path.startsWith('provided/'))).toEqual([]);
  });
});

describe('loading a package', () => {
  it('gives the rows back, types included, from JSON and from CSV', async () => {
    const { world, files } = await onePackage();
    await withConnection(database.superuser, async (superuser) => {
      let compared = 0;
      for (const table of [
        'users',
        'consent_records',
        'notification_logs',
        'subscriptions',
        'payment_methods',
        'notification_preferences',
      ]) {
        for (const origin of ['provided', 'observed', 'assigned']) {
          const path = `${origin}/${table}`;
          const json = files.get(`${path}.json`);
          if (json === undefined) continue;
          const schema = JSON.parse(files.get(`schema/${path}.schema.json`) ?? '');
          const columns = Object.keys(schema.items.properties).filter(
            (column) => !(table === 'notification_logs' && column === 'message'),
          );
          const types = columns
            .map((column) => `${column} ${schema.items.properties[column]['x-sql']}`)
            .join(', ');
          await superuser.query(`drop table if exists loaded; create temp table loaded (${types})`);
          const owner = table === 'users' ? 'id' : 'user_id';
          const difference = `(select ${columns.join(', ')} from loaded except select ${columns.join(', ')} from public.${table} where ${owner} = '${world.subject}')
            union all (select ${columns.join(', ')} from public.${table} where ${owner} = '${world.subject}' except select ${columns.join(', ')} from loaded)`;
          await superuser.query(
            `insert into loaded select ${columns.join(', ')} from json_populate_recordset(null::loaded, $1)`,
            [json],
          );
          expect(await superuser.query(comparable(difference)), `${path}.json`).toEqual([]);
          await superuser.query('truncate loaded');
          await loadCsv(superuser, files.get(`${path}.csv`) ?? '', columns);
          expect(await superuser.query(comparable(difference)), `${path}.csv`).toEqual([]);
          compared += 1;
        }
      }
      expect(compared).toBeGreaterThan(10);
    });
  });
});

/** jsonb compares, and so do the other types here; rows as text tell what differs. */
const comparable = (query: string) => `select d::text from (${query}) d`;

/** As a reader of RFC 4180 would, NULL being the empty cell without quotes. */
async function loadCsv(superuser: Connection, csv: string, columns: readonly string[]): Promise<void> {
  const [header = [], ...rows] = [...records(csv)];
  const array = (column: string) => ['data_categories', 'third_parties', 'device_tokens'].includes(column);
  for (const row of rows) {
    const record = Object.fromEntries(header.map((name, at) => [name, row[at] ?? null]));
    const values = columns.map((column) => {
      const value = record[column as string] ?? null;
      return value !== null && array(column) ? (JSON.parse(value) as unknown) : value;
    });
    await superuser.query(
      `insert into loaded (${columns.join(', ')}) values (${columns.map((_, at) => `$${at + 1}`).join(', ')})`,
      values,
    );
  }
}

function* records(csv: string): Generator<(string | null)[]> {
  let row: (string | null)[] = [];
  for (const { 1: quoted, 2: plain, 3: end } of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(
      quoted !== undefined
        ? unguardFormula(quoted.replaceAll('""', '"'))
        : plain === ''
          ? null
          : (plain ?? null),
    );
    if (end === ',') continue;
    yield row;
    row = [];
  }
}

describe('rows opened for a package', () => {
  const next = (wanted: number) =>
    `select * from privacy.next_package_rows(${wanted}) as t (given integer, at json, since text)`;

  it('come some at a time and as a package has them, whatever the session has set', async () => {
    const { id, core, child } = await makeFamily(database, { name: 'Gagnon' });
    await makeGuardian(database, { family: id, id: child }, core.id);
    await withConnection(database.superuser, async (superuser) => {
      await superuser.query('delete from public.usage_logs where family_id = $1', [id]);
      await superuser.query(
        `insert into public.usage_logs (family_id, child_id, usage_type, logged_at, time_since_last_change)
         select $1, $2, 'wipe_use', v.at, '1 day 02:03:04'
         from (values (timestamptz '2026-11-20 14:01:58.5-05'), ('infinity'), ('-infinity'), ('0044-03-15 12:00:00+00 BC')) v (at)`,
        [id, child],
      );
    });
    await asCompliance(operator, core.id, async (session) => {
      await session.transaction(async () => {
        await session.query(
          `set local timezone = 'America/St_Johns'; set local intervalstyle = 'sql_standard'`,
        );
        for (const columns of ['{id,logged_at}', '{logged_at,time_since_last_change}'])
          await session.query(`select privacy.open_package_rows($1, 'public.usage_logs', $2)`, [
            core.id,
            columns,
          ]);
        const pages = [
          await session.query(next(3)),
          await session.query(next(3)),
          await session.query(next(3)),
        ];
        expect(pages.map((rows) => rows.length)).toEqual([3, 1, 0]);
        const rows = pages.flat() as { given: number; at: string; since: string }[];
        expect(rows.map(({ given, since }) => [given, since])).toEqual(Array(4).fill([4, 'P1DT2H3M4S']));
        expect(rows.map(({ at }) => at).sort()).toEqual(
          ['-infinity', '0044-03-15T12:00:00+00:00 BC', '2026-11-20T19:01:58.5+00:00', 'infinity'].sort(),
        );
      });
      // Nothing of them is left behind the transaction.
      await expect(session.query(next(1))).rejects.toThrow();
    });
  });

  it('are run in the rights of whoever takes them, where they opened others by that name', async () => {
    await asCompliance(operator, (await makeFamily(database, { name: 'Roy' })).core.id, async (session) => {
      await session.transaction(async () => {
        await session.query(
          `declare "nestctl package" cursor for select 7, to_json(current_user), session_user::text`,
        );
        expect(await session.query(next(2))).toEqual([
          { given: 7, at: 'nestsync_compliance', since: operator.user },
        ]);
      });
    });
  });
});

describe('no package is made', () => {
  it('without a grant for this very person, or under another duty', async () => {
    const world = await plantPeople(database, seededRandom(testSeed()));
    const other = world.people[1] as string;
    await asCompliance(operator, other, async (session) => {
      await expect(planExport(session, { kind: 'user', id: world.subject })).rejects.toMatchObject({
        code: 'no_grant',
      });
      await expect(
        session.query(`select privacy.open_package_rows($1, 'public.users', '{email}')`, [world.subject]),
      ).rejects.toMatchObject({ code: 'no_grant' });
      await expect(
        session.query('select * from privacy.package_people($1)', [world.subject]),
      ).rejects.toMatchObject({ code: 'no_grant' });
    });
    const admin = await database.makeOperator('admin', 'support', 'auditor', 'sre');
    for (const duty of ['admin', 'support', 'auditor', 'sre']) {
      await withConnection(admin, async (connection) => {
        await connection.query(`set role nestsync_${duty}`);
        await expect(
          connection.query('select * from privacy.package_tables($1)', [world.subject]),
          duty,
        ).rejects.toMatchObject({ kind: 'not_allowed' });
      });
    }
  });

  it('without the reason that its record will want, before anything is read', async () => {
    const { evidence, created } = await onePackage();
    const file = join(temporaryFolder(), 'p.zip');
    const session = await openSession(operator, { duty: 'compliance', reason: 'too short', ticket: 'DSR-1' });
    try {
      await expect(answerRequest(session, evidence, created.request, file)).rejects.toMatchObject({
        code: 'reason_missing',
      });
    } finally {
      await session.close();
    }
    expect(await readFile(file, 'utf8').catch(() => '')).toBe('');
  });

  it.each([
    ['a table', 'create table public.shoes (id uuid primary key, owner uuid)', 'drop table public.shoes'],
    [
      'a column',
      'alter table public.children add column shoe_size text',
      'alter table public.children drop column shoe_size',
    ],
  ])('while %s does not answer in the data map', async (_, add, remove) => {
    const { world, evidence, created } = await onePackage();
    await withConnection(database.superuser, (superuser) => superuser.query(add));
    try {
      await asCompliance(operator, world.subject, async (session) => {
        await expect(planExport(session, { kind: 'user', id: world.subject })).rejects.toMatchObject({
          code: 'map_incomplete',
        });
        await expect(
          answerRequest(session, evidence, created.request, join(temporaryFolder(), 'p.zip')),
        ).rejects.toMatchObject({ code: 'map_incomplete' });
      });
    } finally {
      await withConnection(database.superuser, (superuser) => superuser.query(remove));
    }
  });
});

describe('a package answers a request', () => {
  const recordExport = (session: Session, person: string, request: string) =>
    session.one<{ id: string }>(
      `select privacy.record_export($1, $2, 'en', repeat('a', 64), repeat('b', 64), 10, 1, 0, 'exports/1') as id`,
      [person, request],
    );

  it('of that very person, for it, open and with the identity verified, as the database holds too', async () => {
    const { subject, people } = await plantPeople(database, seededRandom(testSeed()));
    const other = people[1] as string;
    const refused = async (
      session: Session,
      number: string,
      code: string,
      words: RegExp,
      person = subject,
    ) => {
      if (person === subject)
        await expect(exportableRequest(session, number)).rejects.toMatchObject({ code });
      await expect(recordExport(session, person, number)).rejects.toThrow(words);
    };
    await asCompliance(operator, other, async (session) => {
      const theirs = await openRequestOf(session, other);
      await session.query(
        `select ops.open_access('read', 'answering an access request', 'DSR-1', 60, null, $1)`,
        [subject],
      );
      await expect(recordExport(session, subject, theirs)).rejects.toThrow(
        /none that a package of this person/,
      );

      const number = await openRequestOf(session, subject, { verified: false });
      await refused(session, number, 'identity_not_verified', /before the identity is verified/);
      const step = async (wish: StepWish) =>
        await takeStep(session, await planStep(session, number, () => wish));
      await step({ verb: 'verify-identity', method: 'known_facts', passed: false });
      await refused(session, number, 'identity_not_verified', /before the identity is verified/);
      await step({ verb: 'verify-identity', method: 'signed_in', passed: true });
      expect(await exportableRequest(session, number)).toEqual({
        ...{ number, kind: 'access', subject: { kind: 'user', id: subject } },
      });
      expect(await recordExport(session, subject, number)).toMatchObject({ id: expect.any(String) });
      await step({ verb: 'withdraw' });
      await refused(session, number, 'request_ended', /none that a package of this person/);
      await refused(session, 'REQ-1999-0001', 'not_found', /there is no request/i);

      const opening = await planOpening(session, {
        ...{
          regime: 'pipeda',
          kind: 'deletion',
          asks: 'all of it gone',
          channel: 'email',
          requester: 'self',
        },
        ...{ subject: { kind: 'user', id: subject }, zone: 'America/Toronto', language: 'en' },
        received: () => new Date(),
      });
      const deletion = await openRequest(session, opening);
      await refused(session, deletion.number, 'not_exportable', /none that a package of this person/);
    });
  });
});

describe('the plan of a package', () => {
  it('counts what the package then holds', async () => {
    const { world, files, created } = await onePackage();
    const plan = await asCompliance(operator, world.subject, (session) =>
      planExport(session, { kind: 'user', id: world.subject }),
    );
    const manifest = JSON.parse(files.get('manifest.json') ?? '');
    const rowsOf = (tables: readonly { table: string; rows: number }[], without: RegExp) =>
      Object.fromEntries(
        tables
          .filter(({ table, rows }) => rows > 0 && !without.test(table))
          .map(({ table, rows }) => [table, rows]),
      );
    // Making it was recorded, and so was looking again.
    const own = /^(ops|audit|privacy)\.|^(account_of_use|disclosures|requests)$/;
    expect(rowsOf(plan.tables, own)).toEqual(rowsOf(manifest.tables, own));
    expect(plan.aliases?.reduce((sum, { times }) => sum + times, 0)).toBeGreaterThanOrEqual(
      created.severances,
    );
    expect(JSON.stringify(plan)).not.toContain(world.people[1]);
  });
});
