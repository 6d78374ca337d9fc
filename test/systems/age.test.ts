import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyingKeys, verifyPackage } from '../../src/evidence/index.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { verifyEncrypted } from '../../src/privacy/index.js';
import { finished } from '../support/console.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import { asCompliance, unzip, writeExport } from '../support/packages.js';
import { asService, makeFamily } from '../support/small-world.js';

let database: TestDatabase;
let officer: ConnectionTarget;
beforeAll(async () => {
  database = await createTestDatabase();
  officer = await database.makeOperator('compliance');
});
afterAll(() => database?.drop());

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Somebody whose package has more than a few chunks of age: what is random does not compress. */
async function manyMessages(): Promise<string> {
  const { core } = await makeFamily(database, { name: 'Tremblay' });
  await asService(database, (service) =>
    service.query(
      `insert into public.notification_logs (user_id, notification_type, channel, title, message)
       select $1, 'reminder', 'push', 'x', (select string_agg(md5(random()::text || n || i), '') from generate_series(1, 300) i)
       from generate_series(1, 60) n`,
      [core.id],
    ),
  );
  return core.id;
}

it('age of Debian decrypts a package to the very ZIP file that was signed, by the key it made itself', async () => {
  const folder = temporaryFolder();
  const [keys, file, clear] = ['key.txt', 'p.zip.age', 'p.zip'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  execFileSync('age-keygen', ['-o', keys], { stdio: 'ignore' });
  const recipient = execFileSync('age-keygen', ['-y', keys], { encoding: 'utf8' }).trim();
  const evidence = await newEvidence();
  const person = await manyMessages();
  const created = await asCompliance(officer, person, (session) =>
    writeExport(session, evidence, person, file, 'access', { recipients: [recipient] }),
  );
  expect(statSync(file).size).toBeGreaterThan(5 * 65_536);
  expect(created.encrypted).toMatchObject({ sha256: sha256(file), bytes: statSync(file).size });
  execFileSync('age', ['-d', '-i', keys, '-o', clear, file]);

  const [, number] = (created.encrypted?.evidence ?? '').split('/');
  const envelope = JSON.parse(
    ((await evidence.store.read('exports', Number(number))) as Buffer).toString('utf8'),
  );
  const { subject } = JSON.parse(Buffer.from(envelope.payload, 'base64').toString('utf8'));
  expect(subject.map((one: { digest: { sha256: string } }) => one.digest.sha256)).toEqual([
    sha256(file),
    created.package_sha256,
    sha256(clear),
  ]);
  const keySet = await verifyingKeys(evidence.places);
  expect(await verifyPackage(clear, keySet)).toHaveProperty('proven');
  expect((await unzip(clear)).get('manifest.json')).toContain(created.request);

  // And what age encrypts is verified here, by the file of its key as it wrote it.
  execFileSync('age', ['-r', recipient, '-o', `${file}.2`, clear]);
  const identities = readFileSync(keys, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  expect(await verifyEncrypted(`${file}.2`, { identities }, keySet)).toHaveProperty('proven');
  const changed = readFileSync(file);
  changed[changed.length - 100] = (changed[changed.length - 100] as number) ^ 1;
  writeFileSync(`${file}.3`, changed);
  expect(() => execFileSync('age', ['-d', '-i', keys, `${file}.3`], { stdio: 'pipe' })).toThrow();
});

it('age of Debian decrypts a package by its passphrase', async () => {
  const folder = temporaryFolder();
  const [file, clear] = [join(folder, 'p.zip.age'), join(folder, 'p.zip')];
  const evidence = await newEvidence();
  const { core } = await makeFamily(database, { name: 'Gagnon' });
  const passphrase = 'berceau lune érable 42';
  await asCompliance(officer, core.id, (session) =>
    writeExport(session, evidence, core.id, file, 'access', { passphrase }),
  );
  // It asks at a terminal alone.
  const child = spawn('script', [
    '--quiet',
    '--return',
    '--command',
    `age -d -o ${clear} ${file}`,
    '/dev/null',
  ]);
  child.stdout.once('data', () => child.stdin.write(`${passphrase}\n`));
  expect(await finished(child)).toMatchObject({ code: 0 });
  expect(await verifyPackage(clear, await verifyingKeys(evidence.places))).toHaveProperty('proven');
});
