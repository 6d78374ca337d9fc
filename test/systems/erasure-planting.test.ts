import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { planErasure } from '../../src/privacy/index.js';
import { empty, fatesOf, goingOf, touchAll } from '../support/erased-worlds.js';
import { approveErasure, begin, eraseAll, letTimePass, makeOfficers, schedule } from '../support/erasures.js';
import { temporaryFolder } from '../support/evidence.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import { asCompliance, openRequestOf } from '../support/packages.js';
import { type PlantedWorld, plantPeople } from '../support/planted-people.js';
import { startSystem } from '../support/servers.js';

const DEBIAN = '/usr/lib/postgresql/15/bin';
const FAMILIES = 500;

/** Whatever in a dump could be a marker: each piece of 14 consonants and of ten digits, wherever it begins. */
async function markersIn(file: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') }))
    for (const [run] of line.toLowerCase().matchAll(/[bcdfghjklmnpqrstvwxz]{14,}|[0-9]{10,}/g)) {
      const width = /^[0-9]/.test(run) ? 10 : 14;
      for (let at = 0; at + width <= run.length; at += 1) found.add(run.slice(at, at + width));
    }
  return found;
}

const seed = testSeed();
test(`${FAMILIES} random families on PostgreSQL 15: a dump has no marker that was to go, and every one that was to stay, NESTCTL_TEST_SEED=${seed}`, async () => {
  const server = await startSystem({ version: 15, kind: 'plain' });
  onTestFinished(() => server.stop());
  const database = await server.migratedDatabase();
  const [officer, second] = await makeOfficers(database);
  const { host, port, user, password } = database.superuser;
  const env = { PGHOST: host, PGPORT: `${port}`, PGUSER: user, PGPASSWORD: password as string };
  const folder = temporaryFolder();
  const dumped = async (name: string) => {
    const file = join(folder, name);
    // By what somebody is found is kept until archives and all others have followed.
    const but = '--exclude-table-data=privacy.erasure_identifiers';
    await promisify(execFile)(join(DEBIAN, 'pg_dump'), [but, `--file=${file}`, database.name], { env });
    return await markersIn(file);
  };

  const random = seededRandom(seed);
  const worlds: PlantedWorld[] = [];
  for (let families = 0; families < FAMILIES; ) {
    const wanted = Math.min(random.between(5, 15), FAMILIES - families);
    const world = await plantPeople(database, random, wanted);
    await empty(database, world, random);
    worlds.push(world);
    families += wanted;
  }
  await touchAll(database);
  const before = await dumped('before.sql');

  let [going, gone, stayed] = [0, 0, 0];
  const fates: ReturnType<typeof fatesOf>[] = [];
  for (const world of worlds)
    await asCompliance(officer, world.subject, async (session) => {
      const number = await openRequestOf(session, world.subject, { kind: 'deletion' });
      const plan = await planErasure(session, number);
      expect(plan.gates).toEqual([]);
      await approveErasure(session, second, number);
      await schedule(session, number);
      await letTimePass(database, number);
      await begin(session, number);
      await eraseAll(session, number, random.pick([50, 5_000]));
      going += goingOf(plan).size;
      fates.push(fatesOf(world, goingOf(plan)));
    });
  const after = await dumped('after.sql');
  for (const { gone: goes, stay } of fates) {
    for (const { marker, table, column } of goes) {
      expect(before.has(marker), `${table}.${column} was not there`).toBe(true);
      expect(after.has(marker), `${table}.${column} is still there`).toBe(false);
      gone += 1;
    }
    for (const { marker, table, column } of stay) {
      if (!before.has(marker)) continue;
      expect(after.has(marker), `${table}.${column} is gone`).toBe(true);
      stayed += 1;
    }
  }
  expect([going > 100, gone > 5_000, stayed > 5_000]).toEqual([true, true, true]);
}, 900_000);
