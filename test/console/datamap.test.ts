import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';

let database: TestDatabase;
let me: OperatorConsole;

beforeAll(async () => {
  database = await createTestDatabase();
  me = await operatorConsole(database, { operator: await database.makeOperator('compliance'), owner: false });
});
afterAll(() => database?.drop());

describe('datamap', () => {
  it('shows one table with its paths, and explains a column in words', async () => {
    const shown = await me.run(['datamap', 'show', '--table', 'usage_logs']);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/caregiver_name +other +caregiver +identity +reported/);
    expect(shown.stdout).toMatch(/Reached from/);
    const explained = await me.json(['datamap', 'explain', 'emergency_profiles.contact_name']);
    expect(explained.code).toBe(0);
    expect(explained.body.result.words.export).toMatch(/s\. 9\(1\)/);
    expect(await me.json(['datamap', 'explain', 'notes'])).toMatchObject({
      code: 2,
      body: { error: { message: '"notes" names no table: write TABLE.COLUMN.' } },
    });
    expect(await me.json(['datamap', 'explain', 'children.nickname'])).toMatchObject({
      code: 5,
      body: { error: { code: 'not_mapped' } },
    });
  });

  it('is not for support', async () => {
    const support = await operatorConsole(database, {
      operator: await database.makeOperator('support'),
      owner: false,
    });
    for (const args of [['show'], ['check'], ['explain', 'users.email']]) {
      expect((await support.run(['datamap', ...args])).code, args[0]).toBe(4);
    }
  });

  it('finds a column that nobody declared, exit 3', async () => {
    expect(await me.json(['datamap', 'check'])).toMatchObject({ code: 0, body: { ok: true } });
    expect(await me.json(['datamap', 'check', '--sample', '50'])).toMatchObject({
      code: 0,
      body: { ok: true },
    });
    await withConnection(database.owner, (owner) =>
      owner.query(`insert into public.families (name, description) values ('Roy', 'call 514-555-0199')`),
    );
    const sampled = await me.run(['datamap', 'check', '--sample', '50']);
    expect(sampled.code).toBe(3);
    expect(sampled.stdout).toMatch(
      /hidden_personal_data: public\.families\.description: of 1 values 1 like telephone/,
    );
    expect(sampled.stdout).not.toMatch(/0199/);
    await withConnection(database.owner, (owner) =>
      owner.query('alter table public.children add column nickname text'),
    );
    const { code, stdout } = await me.run(['datamap', 'check']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/unanswered_columns: public\.children: .*nickname/);
  });
});
