import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { finished, startConsole } from '../support/console.js';
import type { TestDatabase } from '../support/database.js';
import { type ErasingConsole, erasingConsole, familyOfOne, tablesWith } from '../support/erasing-console.js';
import { unguarded } from '../support/erasures.js';
import { type Asked, type OutsideServices, startOutsideServices } from '../support/outside-services.js';
import { type SystemServer, startSystem } from '../support/servers.js';
import { addSupabaseServices, liveAtSupabase } from '../support/supabase-services.js';

const WHY = ['--reason', 'due since yesterday', '--ticket', 'DSR-9'];

let server: SystemServer;
let database: TestDatabase;
let outside: OutsideServices;
let erasing: ErasingConsole;
beforeAll(async () => {
  server = await startSystem({ version: 15, kind: 'supabase' });
  database = await server.migratedDatabase();
  await addSupabaseServices(database.superuser);
  outside = await startOutsideServices(database.superuser);
  erasing = await erasingConsole(database);
  const { me } = erasing;
  Object.assign(me.env, outside.env);
  await appendFile(me.env.NESTCTL_CONFIG as string, `\n${outside.settings('test')}\n`);
}, 180_000);
afterAll(async () => {
  await outside?.stop();
  await server?.stop();
});

let count = 0;
/** Somebody with an account, files, a customer and devices; and another with as much, who stays. */
async function due(files: number) {
  count += 1;
  const family = await familyOfOne(database, `Ouellet-${count}`);
  const { id } = family.core;
  const email = `Ursule.${family.core.email}`;
  const customer = `cus_Ab${count}Yz`;
  await unguarded(database, async (connection) => {
    await connection.query('update public.users set email = $2 where id = $1', [id, email]);
    await connection.query(
      `insert into public.subscriptions (user_id, plan, status, province, stripe_customer_id) values ($1, 'family', 'active', 'QC', $2)`,
      [id, customer],
    );
    await connection.query(
      `insert into public.notification_preferences (user_id, device_tokens) values ($1, '{To-Ken}')`,
      [id],
    );
    for (const [person, address] of [
      [id, email.toLowerCase()],
      [family.gran.id, family.gran.email],
    ] as const)
      await liveAtSupabase(connection, { id: person, email: address, files });
  });
  outside.customers.set(customer, { id: customer, email, deleted: false, charges: count % 2 });
  const number = await erasing.due(id);
  return { family, id, email, customer, number };
}

const run = (number: string) => erasing.me.json(['erasure', 'run', number, '--confirm', number, ...WHY]);
const settlements = (body: {
  result: { outside: { recipient: string; outcome: string | null; failure: string | null }[] };
}) =>
  Object.fromEntries(
    body.result.outside.map(({ recipient, outcome, failure }) => [recipient, outcome ?? failure]),
  );

/** How many rows of somebody the services of the platform have. */
async function rowsAtSupabase(id: string): Promise<Record<string, number>> {
  return await withConnection(database.superuser, (connection) =>
    connection.one<Record<string, number>>(
      `select (select count(*)::int from auth.users where id = $1) as accounts,
         (select count(*)::int from auth.sessions where user_id = $1) as sessions,
         (select count(*)::int from auth.refresh_tokens where user_id = $1::text) as tokens,
         (select count(*)::int from auth.audit_log_entries where payload::text like '%' || $1::text || '%') as entries,
         (select count(*)::int from storage.objects where owner_id = $1::text) as files`,
      [id],
    ),
  );
}

/** As an uninterrupted run leaves it: everything of theirs is gone, all of the other's is there. */
async function expectErased(
  { family, id, email, customer, number }: Awaited<ReturnType<typeof due>>,
  files: number,
) {
  expect(await rowsAtSupabase(id)).toEqual({ accounts: 0, sessions: 0, tokens: 0, entries: 0, files: 0 });
  expect(await rowsAtSupabase(family.gran.id)).toEqual({
    accounts: 1,
    sessions: 1,
    tokens: 1,
    entries: 3,
    files: 2 * files,
  });
  expect(outside.customers.get(customer)?.deleted).toBe(true);
  expect([...outside.erased.values()].filter((sent) => JSON.stringify(sent).includes(email))).toEqual([
    { request: number, recipient: 'email', identifiers: [{ names: 'address', value: email }] },
  ]);
  expect(await tablesWith(database, email, email.toLowerCase(), customer)).toEqual([]);
}

test('adapters have them erased by the platform, the processor and a service of ours, and look', async () => {
  const person = await due(130);
  const { number } = person;
  const plan = await erasing.me.json(['erasure', 'run', number, '--dry-run', ...WHY]);
  expect(JSON.stringify(plan.body.result.plan.steps)).not.toContain('storage.objects');
  const { code, body } = await run(number);
  expect([code, body.result.erasure.state], JSON.stringify(body)).toEqual([8, 'proven']);
  expect(settlements(body)).toEqual({ payments: 'kept', storage: 'erased', email: 'erased', push: null });
  await expectErased(person, 130);
  // The key goes with the call, and with it alone; an erasure is known again by its Idempotency-Key.
  expect(outside.asked.filter(({ path }) => path.includes('sk_') || path.includes('service-role'))).toEqual(
    [],
  );
  expect(body.meta.next).toContain(`erasure settle ${number} push`);
  const settled = ['--outcome', 'erased', '--reference', 'tokens forgotten', ...WHY, '--yes'];
  const last = await erasing.me.json(['erasure', 'settle', number, 'push', ...settled]);
  expect([last.code, last.body.result.erasure.state]).toEqual([0, 'complete']);
  const shown = await erasing.me.run(['erasure', 'show', number, ...WHY]);
  expect(shown.stdout).toMatch(/payments.*kept +req_1Kx/);
  expect(shown.stdout).toMatch(/storage.*erased +260 files/);
  const calls = outside.asked.length;
  expect((await run(number)).code).toBe(6);
  expect(outside.asked.length).toBe(calls);
});

describe('killed while somebody outside is asked', () => {
  const points = [
    ...(['storage', 'payments', 'email'] as const).flatMap((service) =>
      (['before', 'after'] as const).flatMap((when) => [{ service, when, nth: 1 }]),
    ),
    { service: 'storage', when: 'after', nth: 2 },
    { service: 'payments', when: 'after', nth: 3 },
    { service: 'payments', when: 'before', nth: 4 },
  ] as const;
  test.each(points)('$service, $when it did what call $nth asks', async ({ service, when, nth }) => {
    const person = await due(3);
    const { number } = person;
    const child = startConsole(['erasure', 'run', number, '--confirm', number, ...WHY, '--json'], {
      env: erasing.me.env,
    });
    child.stdin.end();
    let seen = 0;
    outside.trouble = async (asked: Asked, at) => {
      if (asked.service !== service || at !== when) return undefined;
      seen += 1;
      if (seen !== nth) return undefined;
      child.kill('SIGKILL');
      await finished(child);
      return { status: 503 };
    };
    const { signal, stdout } = await finished(child);
    outside.trouble = undefined;
    expect(signal, stdout).toBe('SIGKILL');
    const { code, body } = await run(number);
    expect([code, body.result?.erasure.state], JSON.stringify(body)).toEqual([8, 'proven']);
    expect(settlements(body)).toMatchObject({ email: 'erased', push: null });
    expect(['erased', 'kept']).toContain(settlements(body).payments);
    expect(['erased', 'not_held']).toContain(settlements(body).storage);
    await expectErased(person, 3);
  });
});

describe('trouble outside is on record, stops nobody else, and is gone on with', () => {
  test.each([
    { service: 'payments', answer: { status: 401 }, failure: 'service_refused_key' },
    { service: 'payments', answer: { status: 200, body: '<html>' }, failure: 'service_garbled' },
    { service: 'payments', answer: { status: 404, body: {} }, failure: 'outside_unknown' },
    { service: 'email', answer: { status: 200, body: { outcome: 'done' } }, failure: 'service_garbled' },
    {
      service: 'email',
      answer: { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
      failure: 'service_refused',
    },
    { service: 'email', answer: { status: 202 }, failure: null },
    { service: 'storage', answer: { status: 200, body: [] }, failure: 'outside_left' },
  ] as const)('$service answers $answer.status', async ({ service, answer, failure }) => {
    const person = await due(1);
    const { number } = person;
    outside.trouble = async (asked, when) =>
      asked.service === service && when === 'before' ? answer : undefined;
    const first = await run(number);
    outside.trouble = undefined;
    expect(first.body.result, JSON.stringify(first.body)).toBeDefined();
    expect(settlements(first.body)[service]).toBe(failure);
    if (service === 'storage') {
      // Its tables still name them: that they are gone is not proven.
      expect([first.code, first.body.result.erasure.state]).toEqual([9, 'erased']);
      expect(first.body.result.left.map(({ table }: { table: string }) => table)).toContain(
        'storage.objects',
      );
    } else {
      expect([first.code, first.body.result.erasure.state]).toEqual([8, 'proven']);
    }
    const again = await run(number);
    expect([again.code, again.body.result.erasure.state]).toEqual([8, 'proven']);
    await expectErased(person, 1);
  });

  test('a customer with their address whom nobody knew here is told, and left alone', async () => {
    const person = await due(1);
    const other = { id: 'cus_later', email: person.email, deleted: false, charges: 0 };
    outside.customers.set(other.id, other);
    const { code, body } = await run(person.number);
    expect([code, settlements(body).payments]).toEqual([8, 'outside_left']);
    expect(other.deleted).toBe(false);
    expect((await erasing.me.run(['erasure', 'show', person.number, ...WHY])).stdout).toContain(
      'outside_left',
    );
    outside.customers.delete(other.id);
    expect(settlements((await run(person.number)).body).payments).toMatch(/erased|kept/);
  });
});
