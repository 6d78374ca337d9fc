import { afterAll, beforeAll, describe, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

let database: TestDatabase;
let family: SmallFamily;
let other: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
  other = await makeFamily(database, { name: 'Gagnon' });
});
afterAll(() => database.drop());

/** A console of a support operator of its own, so that no test's grants are another's. */
async function fresh(...duties: Parameters<TestDatabase['makeOperator']>): Promise<OperatorConsole> {
  return operatorConsole(database, { operator: await database.makeOperator(...duties), owner: false });
}

describe.concurrent('access', () => {
  test('opens a grant, says until when and what to type next, and lists and closes it', async ({
    expect,
  }) => {
    const me = await fresh('support');
    const before = Date.now();
    const opened = await me.json(['access', 'open', '--family', family.id, '--for', '45m', ...WHY]);
    expect(opened.code).toBe(0);
    const grant = opened.body.result;
    expect(Object.keys(grant).sort()).toEqual(['duty', 'expires_at', 'family_id', 'id', 'kind', 'user_id']);
    expect(grant).toMatchObject({ duty: 'support', kind: 'read', family_id: family.id, user_id: null });
    const minutes = (Date.parse(grant.expires_at) - before) / 60_000;
    expect(minutes).toBeGreaterThan(44.9);
    expect(minutes).toBeLessThan(46);
    expect(opened.body.meta.next).toBe(`nestctl family show ${family.id}`);
    // What it offers next is typed as it stands.
    const shown = await me.json(opened.body.meta.next.split(' ').slice(1));
    expect(shown.body.result.name).toBe('Tremblay');

    const listed = await me.json(['access', 'list']);
    expect(listed.body.result.grants).toHaveLength(1);
    expect(Object.keys(listed.body.result.grants[0]).sort()).toEqual([
      'closed_at',
      'duty',
      'expires_at',
      'family_id',
      'id',
      'kind',
      'live',
      'opened_at',
      'operator',
      'reason',
      'ticket',
      'user_id',
    ]);
    expect(listed.body.result.grants[0]).toMatchObject({ id: grant.id, live: true, ticket: 'SUP-1' });

    const closed = await me.json(['access', 'close', grant.id]);
    expect(closed.body.result.closed.map((one: { id: string }) => one.id)).toEqual([grant.id]);
    expect((await me.json(['access', 'list'])).body.result.grants).toEqual([]);
    expect((await me.json(['access', 'list', '--ended'])).body.result.grants[0]).toMatchObject({
      live: false,
    });
    expect((await me.json(['family', 'show', family.id])).code).toBe(4);
    const again = await me.json(['access', 'close', grant.id]);
    expect([again.code, again.body.error.code]).toEqual([5, 'not_found']);
  });

  test('prints what to do next for a person, a directory session and break-glass, under the duty that holds it', async ({
    expect,
  }) => {
    const me = await fresh('support', 'admin');
    const next = async (...args: string[]) =>
      (await me.json(['access', 'open', ...args, ...WHY])).body.meta.next;
    expect(await next('--user', family.gran.id)).toBe(`nestctl audit query --user ${family.gran.id}`);
    expect(await next('--directory')).toBe('nestctl family list --name …');
    expect(await next('--break-glass')).toBe('nestctl family list --duty admin');
    expect(await next('--family', family.id, '--duty', 'admin')).toBe(
      `nestctl family show ${family.id} --duty admin`,
    );
  });

  test('a dry run opens nothing', async ({ expect }) => {
    const me = await fresh('support');
    const { code, body } = await me.json(['access', 'open', '--family', family.id, '--dry-run', ...WHY]);
    expect([code, body.result.dry_run, body.result.plan.minutes]).toEqual([0, true, 30]);
    expect((await me.json(['access', 'list', '--ended'])).body.result.grants).toEqual([]);
  });

  test('refuses what lacks a reason, a ticket, one scope, a real scope or a possible length', async ({
    expect,
  }) => {
    const me = await fresh('support');
    const open = async (...args: string[]) => {
      const { code, body } = await me.json(['access', 'open', ...args]);
      return [code, body.error.code];
    };
    const scope = ['--family', family.id];
    expect(await open(...scope, '--ticket', 'SUP-1')).toEqual([7, 'reason_missing']);
    expect(await open(...scope, '--reason', 'Grandma cannot see')).toEqual([7, 'ticket_missing']);
    expect(await open(...scope, '--reason', 'short', '--ticket', 'SUP-1')).toEqual([7, 'reason_missing']);
    expect(await open(...scope, '--reason', 'Grandma cannot see', '--ticket', 'a b')).toEqual([
      7,
      'reason_missing',
    ]);
    expect(await open(...WHY)).toEqual([7, 'scope_missing']);
    expect(await open(...scope, '--user', family.gran.id, ...WHY)).toEqual([2, 'usage']);
    expect(await open('--family', family.gran.id, ...WHY)).toEqual([5, 'not_found']);
    expect(await open('--user', family.id, ...WHY)).toEqual([5, 'not_found']);
    expect(await open(...scope, '--for', '9h', ...WHY)).toEqual([2, 'usage']);
    expect(await open('--directory', '--for', '2h', ...WHY)).toEqual([2, 'invalid_input']);
    expect(await open('--break-glass', ...WHY)).toEqual([4, 'duty_not_held']);
    expect((await me.json(['access', 'list', '--ended'])).body.result.grants).toEqual([]);
  });

  test('pages through grants without skipping or repeating, and others are seen by auditors only', async ({
    expect,
  }) => {
    const operator = await database.makeOperator('support');
    const me = await operatorConsole(database, { operator });
    for (const scope of [family.id, other.id]) {
      await me.json(['access', 'open', '--family', scope, ...WHY]);
    }
    await me.json(['access', 'open', '--directory', ...WHY]);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: {
        code: number;
        body: { result: { grants: { id: string }[] }; meta: { next_cursor: string | null } };
      } = await me.json(['access', 'list', '--limit', '1', ...(cursor === null ? [] : ['--cursor', cursor])]);
      seen.push(...page.body.result.grants.map(({ id }) => id));
      cursor = page.body.meta.next_cursor;
    } while (cursor !== null);
    const whole = (await me.json(['access', 'list'])).body.result.grants.map((one: { id: string }) => one.id);
    expect(seen).toEqual(whole);
    expect(new Set(seen).size).toBe(3);

    const peer = await fresh('support');
    expect((await peer.json(['access', 'list', '--operator', operator.user])).code).toBe(4);
    const auditor = await fresh('auditor');
    const found = await auditor.json(['access', 'list', '--operator', operator.user]);
    expect(found.body.result.grants.map((one: { id: string }) => one.id)).toEqual(whole);
  });

  test('a grant under another duty is named instead of "none"', async ({ expect }) => {
    const me = await fresh('support', 'compliance');
    await me.json(['access', 'open', '--family', family.id, '--duty', 'compliance', ...WHY]);
    const { code, body } = await me.json(['family', 'show', family.id]);
    expect([code, body.error.code]).toEqual([4, 'no_grant']);
    expect(body.error.hint).toContain('--duty compliance');
    expect((await me.json(['family', 'show', family.id, '--duty', 'compliance'])).code).toBe(0);
  });

  test('closes all, and only what is asked', async ({ expect }) => {
    const me = await fresh('support');
    const ids = [];
    for (const scope of [family.id, other.id]) {
      ids.push((await me.json(['access', 'open', '--family', scope, ...WHY])).body.result.id);
    }
    expect((await me.json(['access', 'close'])).code).toBe(7);
    expect((await me.json(['access', 'close', ids[0], '--all'])).code).toBe(2);
    expect((await me.json(['access', 'list'])).body.result.grants).toHaveLength(2);
    const { body } = await me.json(['access', 'close', '--all']);
    expect(body.result.closed.map((one: { id: string }) => one.id).sort()).toEqual([...ids].sort());
    expect((await me.json(['access', 'close', '--all'])).body.result.closed).toEqual([]);
  });
});
