import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Explanation, explainAsRole } from '../../src/access/index.js';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const role = `inside_${randomBytes(4).toString('hex')}`;
let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await createTestDatabase({ template: 'template0' });
  connection = await connect(database.superuser);
  await connection.query(`
    create role ${role};
    create schema team; grant usage on schema team to public;
    create function team.me() returns int language sql stable return (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::int;
    create table team.members (team int, person int, level int, until date);
    grant select on team.members to public;
    insert into team.members values (1, 7, 1, null), (1, 8, 3, '2020-01-01'), (2, 7, 3, null);
    create function team.at_least(wanted int, level int) returns boolean language sql immutable
      return at_least.level >= wanted and level < 10;
    create function team.numbered(int, int) returns boolean language sql stable as 'select $1 = $2 and exists (select from team.members m where m.team = $1)';
    create function team.secret(int) returns boolean language sql stable security definer return $1 > 5;
    create function team.procedural(int) returns boolean language plpgsql stable as 'begin return $1 > 5; end';
    create table team.docs (id int primary key, team int, level int);
    grant all on team.docs to public;
    insert into team.docs values (1, 1, 2), (2, 2, 2), (3, 3, 0);
    alter table team.docs enable row level security`);
});
afterAll(async () => {
  await connection?.close();
  await withConnection(database.superuser, (superuser) =>
    superuser.query(`drop owned by ${role} cascade; drop role ${role}`),
  );
  await database?.drop();
});

/** The answer for one row under one policy. */
async function under(policy: string, row: string, sub = 7): Promise<Explanation> {
  await connection.query(
    `drop policy if exists p on team.docs; create policy p on team.docs using (${policy})`,
  );
  return await explainAsRole(connection, {
    table: 'team.docs',
    command: 'select',
    role,
    claims: { sub },
    row,
  });
}

const stepsIn = (steps: Explanation['steps']): Explanation['steps'][number][] =>
  steps.flatMap((step) => [step, ...stepsIn(step.steps)]);
const parts = ({ steps }: Explanation) =>
  stepsIn(steps)
    .filter(({ kind }) => kind === 'part')
    .map(({ text, value }) => [text, value]);

describe('what a condition holds inside', () => {
  const membership = `exists (select from team.members m where m.team = docs.team and m.person = team.me()
    and m.level >= docs.level and (m.until is null or m.until > current_date))`;

  test('of an EXISTS is asked for one condition more at a time, down to the one that fails', async () => {
    const low = await under(membership, '1');
    expect(low.verdict).toBe('denied');
    expect(parts(low)).toEqual([
      ['rows of team.members m', true],
      ['of these, some with m.team = docs.team', true],
      ['of these, some with m.person = team.me()', true],
      ['of these, some with m.level >= docs.level', false],
      ['of these, some with (m.until IS NULL) OR (m.until > CURRENT_DATE)', false],
    ]);
    const late = await under(membership, '1', 8);
    expect(parts(late).map(([, value]) => value)).toEqual([true, true, true, true, false]);
    const good = await under(membership, '2');
    expect([good.verdict, parts(good).every(([, value]) => value === true)]).toEqual(['allowed', true]);
    expect(parts(await under(membership, '3')).map(([, value]) => value)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test('of a helper in SQL is its own condition, with what it was called with', async () => {
    const low = await under(`team.at_least(3, docs.level)`, '1');
    expect(low.missing.map(({ would }) => would)).toEqual(['(level) >= (3) held']);
    const numbered = await under(`(select team.numbered(docs.team, 2))`, '1');
    expect(numbered.missing).toHaveLength(1);
    expect(numbered.missing[0]?.would).toMatch(/team.*=.*2.* held/);
    expect((await under(`team.numbered(docs.team, 2)`, '2')).verdict).toBe('allowed');
  });

  test('is said to be evaluated as a whole where it cannot be seen into', async () => {
    const notes = async (policy: string) =>
      stepsIn((await under(policy, '1')).steps).flatMap(({ note }) => (note === null ? [] : [note]));
    expect(await notes('team.secret(docs.level)')).toEqual([
      "evaluated as a whole: team.secret works with its owner's rights",
    ]);
    expect(await notes('team.procedural(docs.level)')).toEqual([
      'evaluated as a whole: team.procedural is written in plpgsql',
    ]);
    expect(await notes('docs.level > 5')).toEqual([]);
  });
});
