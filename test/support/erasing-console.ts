import { expect } from 'vitest';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import type { TestDatabase } from './database.js';
import { approveErasure, everything, letTimePass, makeOfficers, schedule, unguarded } from './erasures.js';
import { type OperatorConsole, operatorConsole } from './operator-console.js';
import { asCompliance, openRequestOf } from './packages.js';
import { makeFamily, type SmallFamily } from './small-world.js';

const WHY = ['--reason', 'restored to 14:01:58 of today', '--ticket', 'OPS-9'];
export const REPLAY = ['erasure', 'replay', '--after-restore', ...WHY, '--yes'];

/** Two officers, one with a console that has the keys of evidence and ledger. */
export interface ErasingConsole {
  readonly officer: ConnectionTarget;
  readonly me: OperatorConsole;
  readonly other: OperatorConsole;
  /** Schedules the erasure of an account, to be due; returns its request. */
  due(person: string): Promise<string>;
  /** Runs it, until others outside have to follow. */
  erase(number: string): Promise<void>;
  /** Replays the ledger, has the other officer approve whatever waits, and runs it again. */
  // biome-ignore lint/suspicious/noExplicitAny: tests state the shape they expect
  replay(): Promise<{ first: { code: number; body: any }; done: { code: number; body: any } }>;
}

export async function erasingConsole(database: TestDatabase): Promise<ErasingConsole> {
  const [officer, second] = await makeOfficers(database);
  const me = await operatorConsole(database, { operator: officer, owner: false });
  const other = await operatorConsole(database, { operator: second, owner: false });
  for (const purpose of ['signing', 'ledger'])
    await me.json(['evidence', 'key', 'create', '--for', purpose, ...WHY]);
  return {
    ...{ officer, me, other },
    due: (person) =>
      asCompliance(officer, person, async (session) => {
        const number = await openRequestOf(session, person, { kind: 'deletion' });
        await approveErasure(session, second, number);
        await schedule(session, number);
        await letTimePass(database, number);
        return number;
      }),
    async erase(number) {
      const run = await me.json(['erasure', 'run', number, '--confirm', number, ...WHY]);
      expect([run.code, run.body.result?.erasure.state], JSON.stringify(run.body)).toEqual([8, 'proven']);
    },
    async replay() {
      const first = await me.json(REPLAY);
      expect(first.body.result, JSON.stringify(first.body)).toBeDefined();
      const { replayed, decisions } = first.body.result;
      const waiting = [...replayed, decisions].flatMap(
        (part: { approval: string | null } | null) => part?.approval ?? [],
      );
      for (const id of waiting) {
        const granted = await other.json(['approval', 'grant', id, ...WHY, '--yes']);
        expect(granted.code, JSON.stringify(granted.body)).toBe(0);
      }
      return { first, done: waiting.length === 0 ? first : await me.json(REPLAY) };
    },
  };
}

/** A family that all but its core member have left, and that goes with them. */
export async function familyOfOne(database: TestDatabase, name: string): Promise<SmallFamily> {
  const family = await makeFamily(database, { name, person: `Ursule ${name}`, notes: `note of ${name}` });
  await unguarded(database, (connection) =>
    connection.query(
      `update public.family_members set status = 'removed' where family_id = $1 and user_id <> $2`,
      [family.id, family.core.id],
    ),
  );
  return family;
}

/** The tables of all schemas with any of these in them, but that by which somebody is found until all have followed. */
export async function tablesWith(database: TestDatabase, ...words: readonly string[]): Promise<string[]> {
  return [...(await everything(database))]
    .filter(
      ([name, text]) => name !== 'privacy.erasure_identifiers' && words.some((word) => text.includes(word)),
    )
    .map(([name]) => name);
}
