import { afterAll, beforeAll, describe, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { operatorConsole } from '../support/operator-console.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

let database: TestDatabase;
let families: SmallFamily[];
let tremblay: SmallFamily;
let roy: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  tremblay = await makeFamily(database, { name: 'Tremblay' });
  roy = await makeFamily(database, { name: 'Roy' });
  families = [tremblay, roy];
  // Same names on purpose: a cursor by name alone would skip.
  for (let at = 0; at < 12; at++) families.push(await makeFamily(database, { name: 'Gagnon' }));
});
afterAll(() => database.drop());

const fresh = async (...duties: Parameters<TestDatabase['makeOperator']>) =>
  operatorConsole(database, { operator: await database.makeOperator(...duties), owner: false });

type Console = Awaited<ReturnType<typeof fresh>>;

/** The ids of every page, in order. */
async function pages(me: Console, args: readonly string[]): Promise<string[][]> {
  const seen: string[][] = [];
  let cursor: string | null = null;
  do {
    const { body } = await me.json([...args, ...(cursor === null ? [] : ['--cursor', cursor])]);
    seen.push(body.result.families.map((family: { id: string }) => family.id));
    cursor = body.meta.next_cursor as string | null;
  } while (cursor !== null && seen.length < 50);
  return seen;
}

describe.concurrent('family list', () => {
  test('without a grant or a search there is nothing to list, and it says how to go on', async ({
    expect,
  }) => {
    const { code, body } = await (await fresh('support')).json(['family', 'list']);
    expect([code, body.error.code]).toEqual([4, 'no_grant']);
    expect(body.error.next).toMatch(/^nestctl family list --name .*--ticket/);
  });

  test('lists the granted families alone, whole', async ({ expect }) => {
    const me = await fresh('support');
    await me.json(['access', 'open', '--family', tremblay.id, ...WHY]);
    const { body } = await me.json(['family', 'list']);
    expect(body.result.families).toEqual([
      {
        id: tremblay.id,
        name: 'Tremblay',
        family_type: 'personal',
        province: 'QC',
        status: 'live',
        members: 2,
        contacts: null,
        masked: false,
      },
    ]);
  });

  test('a search without a grant answers masked from the directory, once a reason and a ticket are given', async ({
    expect,
  }) => {
    const me = await fresh('support');
    const search = ['family', 'list', '--email', tremblay.gran.email];
    const refused = await me.json(search);
    expect([refused.code, refused.body.error.code]).toEqual([4, 'no_grant']);
    expect(refused.body.error.next).toMatch(/^nestctl access open --directory /);
    const half = await me.json([...search, '--reason', 'caller knows only her mail']);
    expect([half.code, half.body.error.code]).toEqual([7, 'ticket_missing']);
    const { body } = await me.json([...search, ...WHY]);
    expect(body.result.families).toEqual([
      {
        id: tremblay.id,
        name: 'Tre…',
        family_type: 'personal',
        province: 'QC',
        status: 'live',
        members: 2,
        contacts: ['c…@example.ca'],
        masked: true,
      },
    ]);
    expect((await me.json(['family', 'list', '--id', tremblay.id])).body.result.families[0].masked).toBe(
      true,
    );
    // A session is open now, and its lookups are on record.
    const lookups = await withConnection(database.superuser, (connection) =>
      connection.query<{ query: string }>(
        `select query from ops.directory_lookups where query in ($1, $2) and operator = (select operator from ops.directory_lookups where query = $1 limit 1) order by looked_up_at`,
        [tremblay.gran.email, tremblay.id],
      ),
    );
    expect(lookups.map(({ query }) => query)).toEqual([tremblay.gran.email, tremblay.id]);
    expect((await me.json(['family', 'list', '--email', 'nobody@example.ca'])).body.result.families).toEqual(
      [],
    );
  });

  test('a granted family is found by its id without a lookup', async ({ expect }) => {
    const operator = await database.makeOperator('support');
    const me = await operatorConsole(database, { operator });
    await me.json(['access', 'open', '--family', tremblay.id, ...WHY]);
    const { body } = await me.json(['family', 'list', '--id', tremblay.id]);
    expect(body.result.families[0]).toMatchObject({ id: tremblay.id, name: 'Tremblay', masked: false });
    const lookups = await withConnection(database.superuser, (connection) =>
      connection.query('select from ops.directory_lookups where operator = $1', [operator.user]),
    );
    expect(lookups).toEqual([]);
  });

  test('pages by name through everything under break-glass, names that repeat included', async ({
    expect,
  }) => {
    const me = await fresh('admin');
    await me.json(['access', 'open', '--break-glass', ...WHY]);
    const seen = await pages(me, ['family', 'list', '--limit', '5']);
    expect(seen.map((page) => page.length)).toEqual([5, 5, 4]);
    expect(seen.flat().at(-1)).toBe(tremblay.id);
    expect([...seen.flat()].sort()).toEqual(families.map(({ id }) => id).sort());
    expect((await pages(me, ['family', 'list', '--limit', '14'])).length).toBe(1);
    expect((await me.json(['family', 'list', '--name', 'gag'])).body.result.families).toHaveLength(12);
  });

  test('pages through the directory, in its own steps and in smaller ones', async ({ expect }) => {
    const me = await fresh('support');
    await me.json(['access', 'open', '--directory', ...WHY]);
    const gagnons = families
      .filter(({ name }) => name === 'Gagnon')
      .map(({ id }) => id)
      .sort();
    const own = await pages(me, ['family', 'list', '--name', 'Gag']);
    expect(own.map((page) => page.length)).toEqual([10, 2]);
    expect(own.flat()).toEqual(gagnons);
    const small = await pages(me, ['family', 'list', '--name', 'Gag', '--limit', '4']);
    expect(small.map((page) => page.length)).toEqual([4, 4, 4]);
    expect(small.flat()).toEqual(gagnons);
  });

  test('refuses a cursor of another list, one that was tampered with and none at all, and limits out of bounds', async ({
    expect,
  }) => {
    const me = await fresh('admin', 'auditor');
    await me.json(['access', 'open', '--break-glass', ...WHY]);
    const mine = (await me.json(['family', 'list', '--limit', '1'])).body.meta.next_cursor;
    const events = (await me.json(['audit', 'query', '--limit', '1'])).body.meta.next_cursor;
    const refused = async (...args: string[]) => {
      const { code, body } = await me.json(args);
      return [code, body.error.code];
    };
    for (const cursor of [
      events,
      `${mine}x`,
      '',
      'WyJmYW1pbGllcyJd',
      Buffer.from('["families","a","b"]').toString('base64url'),
    ]) {
      expect([cursor, ...(await refused('family', 'list', '--cursor', cursor))]).toEqual([
        cursor,
        2,
        'invalid_cursor',
      ]);
    }
    expect(await refused('audit', 'query', '--cursor', mine)).toEqual([2, 'invalid_cursor']);
    for (const limit of ['0', '-1', '501', '1e3', '99999999999999999999']) {
      expect([limit, ...(await refused('family', 'list', `--limit=${limit}`))]).toEqual([limit, 2, 'usage']);
    }
  });
});

describe.concurrent('family show', () => {
  test('needs a grant, prints the command that opens one, and opens it where reason and ticket are given', async ({
    expect,
  }) => {
    const me = await fresh('support');
    const { code, body } = await me.json(['family', 'show', tremblay.id]);
    expect([code, body.error.code]).toEqual([4, 'no_grant']);
    expect(body.error.next).toMatch(new RegExp(`^nestctl access open --family ${tremblay.id} `));
    expect((await me.json(['family', 'show', tremblay.id, ...WHY])).code).toBe(0);
    // The grant stays: no reason is needed again, and no second one is opened.
    expect((await me.json(['family', 'show', tremblay.id])).code).toBe(0);
    expect((await me.json(['access', 'list', '--ended'])).body.result.grants).toHaveLength(1);
    expect((await me.json(['family', 'show', roy.id])).code).toBe(4);
  });

  test('has the shape that scripts rely on', async ({ expect }) => {
    const me = await fresh('support');
    const { body } = await me.json(['family', 'show', tremblay.id, ...WHY]);
    const keys = (value: object) => Object.keys(value).sort();
    expect(keys(body)).toEqual(['command', 'context', 'meta', 'ok', 'result', 'warnings']);
    expect(keys(body.result)).toEqual([
      'archived_at',
      'children',
      'created_at',
      'description',
      'family_type',
      'id',
      'invitations',
      'last_logged_at',
      'members',
      'name',
      'province',
      'timezone',
    ]);
    expect(keys(body.result.members[0])).toEqual([
      'access_expires_at',
      'account',
      'blocked_by',
      'counts',
      'denied_permissions',
      'display_name',
      'email',
      'granted_permissions',
      'id',
      'joined_at',
      'role',
      'status',
      'user_id',
    ]);
    expect(keys(body.result.children[0])).toEqual([
      'current_diaper_size',
      'date_of_birth',
      'deleted_at',
      'id',
      'name',
    ]);
    expect(body.result.members.map((member: { role: string }) => member.role)).toEqual([
      'family_core',
      'extended_family',
    ]);
  });

  test('says of each member whether the membership counts, as the helper of the policies does, and why not', async ({
    expect,
  }) => {
    const me = await fresh('support');
    await me.json(['access', 'open', '--family', roy.id, ...WHY]);
    const gran = async () => {
      const { body } = await me.json(['family', 'show', roy.id]);
      const found = body.result.members.find((member: { user_id: string }) => member.user_id === roy.gran.id);
      const seen = await withConnection(database.app, async (connection) =>
        connection.transaction(async () => {
          await connection.query(
            `select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)`,
            [JSON.stringify({ sub: roy.gran.id, role: 'authenticated' })],
          );
          return connection.query('select from public.families where id = $1', [roy.id]);
        }),
      );
      return [found.counts, found.blocked_by, seen.length > 0];
    };
    const set = (statement: string, id: string) =>
      asService(database, (connection) => connection.query(statement, [id]));
    expect(await gran()).toEqual([true, null, true]);
    await set(
      `update public.family_members set created_at = now() - interval '2 days', access_expires_at = now() - interval '1 day' where user_id = $1`,
      roy.gran.id,
    );
    expect(await gran()).toEqual([false, 'expired', false]);
    await set(`update public.family_members set status = 'suspended' where user_id = $1`, roy.gran.id);
    expect(await gran()).toEqual([false, 'suspended', false]);
    await set(
      `update public.family_members set status = 'active', access_expires_at = null where user_id = $1`,
      roy.gran.id,
    );
    await set(`update public.users set status = 'pending_deletion' where id = $1`, roy.gran.id);
    expect(await gran()).toEqual([false, 'account pending deletion', false]);
    await set(`update public.users set status = 'active' where id = $1`, roy.gran.id);
    await set('update public.families set archived_at = now() where id = $1', roy.id);
    expect(await gran()).toEqual([false, 'family archived', false]);
  });

  test('a grant for a person covers the families they are a member of, and no other', async ({ expect }) => {
    const me = await fresh('support');
    const opened = await me.json(['access', 'open', '--user', tremblay.gran.id, ...WHY]);
    expect((await me.json(['family', 'show', tremblay.id])).code).toBe(0);
    expect(
      (await me.json(['family', 'list'])).body.result.families.map((one: { id: string }) => one.id),
    ).toEqual([tremblay.id]);
    const events = await me.json(['audit', 'query', '--family', tremblay.id, '--table', 'usage_logs']);
    expect(events.body.result.events).toHaveLength(1);
    expect((await me.json(['family', 'show', roy.id])).code).toBe(4);
    await me.json(['access', 'close', opened.body.result.id]);
    expect((await me.json(['family', 'show', tremblay.id])).code).toBe(4);
  });

  test('a family that is not there is not found, and nothing is opened for it', async ({ expect }) => {
    const me = await fresh('support');
    const { code, body } = await me.json(['family', 'show', tremblay.child, ...WHY]);
    expect([code, body.error.code]).toEqual([5, 'not_found']);
    expect((await me.json(['access', 'list', '--ended'])).body.result.grants).toEqual([]);
  });
});
