import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import { seededRandom, testSeed } from '../support/model/random.js';
import {
  answerRequest,
  asCompliance,
  openRequestForChild,
  openRequestOf,
  unzip,
} from '../support/packages.js';
import { checkPackage, exportedColumns } from '../support/planted-package.js';
import { type PlantedWorld, plantPeople } from '../support/planted-people.js';
import { makeGuardian } from '../support/small-world.js';

const FAMILIES = 500;
/** One package in so many is a child's. */
const CHILDREN = 4;
const seed = testSeed();

let database: TestDatabase;
let operator: ConnectionTarget;
let exported: ReadonlySet<string>;
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('compliance');
  exported = await exportedColumns(database);
});
afterAll(() => database?.drop());

/** The files of a package of the world's person, or of one of its children, and whose it is. */
async function onePackage(world: PlantedWorld, ofChild: boolean) {
  const [, , guardian = ''] = world.people;
  const child = ofChild ? world.children[0] : undefined;
  const file = join(temporaryFolder(), 'package.zip');
  const evidence = await newEvidence();
  if (child !== undefined) await makeGuardian(database, child, guardian);
  await asCompliance(
    operator,
    child === undefined ? world.subject : { family: child.family },
    async (session) => {
      const number =
        child === undefined
          ? await openRequestOf(session, world.subject)
          : await openRequestForChild(session, child, guardian);
      await answerRequest(session, evidence, number, file);
    },
  );
  return { files: await unzip(file), child };
}

/** What other households hold is in no package of this one. */
function checkNothingOf(other: PlantedWorld, files: ReadonlyMap<string, string>): void {
  const all = [...files.values()].join('\n').toLowerCase();
  const told = [...other.planted.map(({ marker }) => marker), ...other.people].filter((sought) =>
    all.includes(sought.toLowerCase()),
  );
  expect(told, 'of another household').toEqual([]);
}

test(`packages hold all that is planted in ${FAMILIES} random families for them, and nothing else (NESTCTL_TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  let [families, packages] = [0, 0];
  let before: PlantedWorld | undefined;
  while (families < FAMILIES) {
    const world = await plantPeople(database, random, random.between(1, 6));
    const { files, child } = await onePackage(world, packages % CHILDREN === CHILDREN - 1);
    try {
      checkPackage(world, files, exported, child);
      if (before !== undefined) checkNothingOf(before, files);
    } catch (error) {
      throw new Error(`seed ${seed}, package ${packages}: ${(error as Error).message}`, { cause: error });
    }
    families += new Set(world.memberships.map(({ family }) => family)).size;
    packages += 1;
    before = world;
  }
}, 1_200_000);
