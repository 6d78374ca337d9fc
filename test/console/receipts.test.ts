import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type OperatorConsole, operatorConsole } from '../support/operator-console.js';
import { changesUnder } from '../support/receipts.js';
import { makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

let database: TestDatabase;
let me: OperatorConsole;
let auditor: OperatorConsole;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  auditor = await operatorConsole(database, {
    operator: await database.makeOperator('auditor'),
    owner: false,
  });
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay' });
  me = await operatorConsole(database, { operator: await database.makeOperator('support'), owner: false });
});
afterAll(() => database?.drop());

/** A command line that the console printed, as words. */
const typed = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '').slice(1);
const member = (...words: string[]) => ['member', ...words, '--family', family.id];
const shown = async (by: OperatorConsole, look: string): Promise<string[]> => {
  const { body } = await by.json([...typed(look), '--limit', '1000']);
  return body.result.events.map(({ id }: { id: string }) => id).sort();
};

describe('the receipt of a write', () => {
  test('names its events, of every transaction, and how they are found', async () => {
    const { body } = await me.json([...member('suspend'), '--user', family.gran.email, '--yes', ...WHY]);
    const { events, request } = body.meta;
    const logged = await changesUnder(database, request);
    expect(logged.map(({ table }) => table)).toEqual(['ops.access_grants', 'public.family_members']);
    expect(events).toMatchObject({
      count: 2,
      first: logged,
      tables: [
        { table: 'ops.access_grants', operation: 'insert', count: 1 },
        { table: 'public.family_members', operation: 'update', count: 1 },
      ],
      transaction_count: 2,
      look: `nestctl audit query --request ${request}`,
    });
    expect(events.transactions.map(({ transaction }: { transaction: string }) => transaction)).toEqual(
      logged.map(({ transaction }) => transaction),
    );
    // Whoever wrote them sees them, as far as the grant goes; an auditor sees all.
    expect(await shown(me, events.look)).toEqual(expect.arrayContaining([logged[1]?.event]));
    expect(await shown(auditor, events.look)).toEqual(logged.map(({ event }) => event).sort());
  });

  test('is a line for people, beside the data in every format, and not for a timer', async () => {
    await me.json(['access', 'open', '--family', family.id, ...WHY]);
    const { stderr } = await me.run([...member('suspend'), '--user', family.gran.email, '--yes']);
    const line = /^· audit event (\d+), transaction \d+: update family_members$/m.exec(stderr);
    expect(line, stderr).not.toBeNull();
    const look = /^ {2}(nestctl audit query --request \S+)$/m.exec(stderr);
    expect(await shown(auditor, look?.[1] ?? '')).toEqual([line?.[1]]);
    const json = await me.run([
      ...member('reinstate'),
      ...['--user', family.gran.email, '--yes', '--format', 'json'],
    ]);
    expect(json.stderr).toMatch(/^· audit event \d+, transaction/m);
    expect(json.stdout).not.toContain('audit event');
  });

  test('of a move, whose events have a request of their own, leads to it', async () => {
    const other = await makeFamily(database, { name: 'Gagnon', child: 'Luc' });
    const { body } = await me.json([
      ...['family', 'merge', '--from', family.id, '--into', other.id, '--confirm', 'Tremblay'],
      ...WHY,
    ]);
    const { events, request } = body.meta;
    const logged = await changesUnder(database, request);
    expect(events.count).toBe(logged.length);
    expect(events.first).toEqual(logged.slice(0, 10));
    const move = events.transactions.find((one: { request: string }) => one.request === body.result.move);
    expect(events.look).toBe(`nestctl audit query --request ${body.result.move}`);
    const own = logged.filter(({ transaction }) => transaction === move.transaction);
    const numbers = own.map(({ event }) => event).sort();
    expect(await shown(auditor, events.look)).toEqual(numbers);
    expect(await shown(auditor, `nestctl audit query --transaction ${move.transaction}`)).toEqual(numbers);
    expect(await shown(me, events.look)).toEqual(
      own
        .filter(({ table }) => table !== 'ops.moves')
        .map(({ event }) => event)
        .sort(),
    );
  });
});

describe('no receipt', () => {
  beforeEach(() => me.json(['access', 'open', '--family', family.id, ...WHY]));

  test('for what only reads, though the question is on record', async () => {
    for (const [by, args] of [
      [me, ['member', 'list', '--family', family.id]],
      [me, ['family', 'show', family.id]],
      [auditor, ['audit', 'query', '--family', family.id]],
    ] as const) {
      const { code, body } = await by.json(args);
      expect([code, body.meta.events]).toEqual([0, undefined]);
      expect((await by.run(args)).stderr).not.toContain('audit event');
    }
  });

  test('for a dry run, and for what is refused', async () => {
    const suspend = [...member('suspend'), '--user', family.gran.email];
    expect((await me.json([...suspend, '--dry-run'])).body.meta.events).toBeUndefined();
    const unasked = await me.json(suspend);
    expect([unasked.code, unasked.body.meta]).toEqual([7, undefined]);
    const last = await me.json([...member('remove'), '--user', family.core.email, '--yes']);
    expect([last.code, last.body.meta]).toEqual([6, undefined]);
  });
});

test('what a failed command had committed before it failed is told', async () => {
  const role = [...member('set-role'), '--user', family.gran.email, '--role', 'extended_family', '--yes'];
  const { code, body } = await me.json([...role, ...WHY]);
  expect([code, body.error.code]).toEqual([6, 'no_change']);
  expect(body.meta.events).toMatchObject({
    count: 1,
    tables: [{ table: 'ops.access_grants', operation: 'insert', count: 1 }],
  });
  expect((await changesUnder(database, body.meta.request)).map(({ table }) => table)).toEqual([
    'ops.access_grants',
  ]);
  const again = await operatorConsole(database, {
    operator: await database.makeOperator('support'),
    owner: false,
  });
  const text = await again.run([...role, ...WHY]);
  expect(text.stderr).toMatch(/✗ .*\n(.*\n)*· audit event \d+, transaction \d+: insert ops\.access_grants\n/);
});
