import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seedFamilies } from '../../src/families/index.js';
import { type Connection, withConnection } from '../../src/platform/database/connection.js';
import { sampleColumns } from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

const LOCAL = { name: 'local', kind: 'local' } as const;

let database: TestDatabase;
let family: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
  family = await makeFamily(database, { name: 'Tremblay' });
});
afterAll(() => database?.drop());

const asDuty = <T>(duty: string, work: (session: Connection) => Promise<T>) =>
  withConnection(database.operators[0], async (session) => {
    await session.query(`set role nestsync_${duty}`);
    return await work(session);
  });
const alarms = async (rows = 1000) =>
  (await asDuty('sre', (session) => sampleColumns(session, rows))).filter(({ level }) => level !== 'ok');

describe('shapes of personal data', () => {
  test.each<[string, string]>([
    ['write to gran.roy+x@courriel.example.ca please', 'email'],
    ['{"to": "ana@example.org"}', 'email'],
    ['call 514-555-0199 after six', 'phone'],
    ['(514) 555-0199', 'phone'],
    ['{"tel":"+15145550199"}', 'phone'],
    ['5145550199', 'phone'],
    ['1 514.555.0199', 'phone'],
    ['lives at H2X 1Y4, Montréal', 'postal_code'],
    ['h2x 1y4', 'postal_code'],
    ['K1A0B1', 'postal_code'],
    ['RAMQ ROYL 2552 2812', 'health_card'],
    ['ROYL25522812', 'health_card'],
    ['1234-567-890-AB', 'health_card'],
    ['9876 543 210', 'health_card'],
    ['12345-6789', 'health_card'],
    ['N1234567', 'health_card'],
    ['123 456 789 012', 'health_card'],
    ['123 456 789', 'health_card'],
    ['health card no. 12345678', 'health_card'],
    ['carte d’assurance maladie : 12345678', 'health_card'],
    ['130 692 544', 'sin'],
    ['SIN 130-692-544.', 'sin'],
    ['{"sin":"130692544"}', 'sin'],
    ['130692544', 'sin'],
  ])('%s is %s, and nothing else', async (value, shape) => {
    const found = await withConnection(database.owner, (owner) =>
      owner.one<Record<string, boolean>>('select * from private.personal_shapes($1)', [value]),
    );
    expect(Object.keys(found).filter((name) => found[name])).toEqual([shape]);
  });

  test.each([
    'nothing of the kind',
    '2026-11-28 14:02:00 -05:00',
    '2026-11-28T14:02:00.123456Z',
    '{"a": 12345678901, "b": [514, 555, 199]}',
    '5c1e07d2-1234-4abc-9def-0123456789ab',
    '130 692 545 1',
    '{"count": 130692544, "next": 1}',
    '030-692-544',
    'version 10.2.130.4',
    'D2X 1Y4',
    'SUP-1234, PRIV-130692544',
    'a1b2c3d4e5f6',
    'CIhMK1A0B1+Vw0/x',
    '514 555 01',
    '@home',
    '1.5 kg, 60 cm, 36.6 °C',
  ])('%s is none', async (value) => {
    const found = await withConnection(database.owner, (owner) =>
      owner.one<Record<string, boolean>>('select * from private.personal_shapes($1)', [value]),
    );
    expect(Object.keys(found).filter((name) => found[name])).toEqual([]);
  });
});

describe('sampling', () => {
  test('finds nothing in families as they are, whose addresses and cards are where the map says', async () => {
    const seeded = await createTestDatabase();
    try {
      await seedFamilies({ target: { ...seeded.service, context: LOCAL }, families: 12, days: 20, seed: 7 });
      const found = await withConnection(seeded.owner, (owner) => sampleColumns(owner, 2000));
      expect(found).toMatchObject([{ level: 'ok' }]);
    } finally {
      await seeded.drop();
    }
  });

  test('tells by column what was hidden in free text and JSON, how often, and never what', async () => {
    const hidden = [
      'mamie.cachee@example.ca',
      '514-555-0147',
      'ROYL 2552 2812',
      '130 692 544',
      '438-555-0123',
    ];
    await asService(database, async (service) => {
      await service.query('update public.usage_logs set notes = $2 where family_id = $1', [
        family.id,
        `call ${hidden[1]} or ${hidden[0]}`,
      ]);
      await service.query(
        'update public.children set allergies_notes = $2, special_needs = $3 where family_id = $1',
        [family.id, `card ${hidden[2]}`, `his number is ${hidden[3]}`],
      );
      await service.query('update public.families set settings = $2 where id = $1', [
        family.id,
        JSON.stringify({ pickup: { deep: [{ tel: hidden[4] }] } }),
      ]);
      // Where the map says that there are some.
      await service.query(
        `insert into public.emergency_profiles (family_id, child_id, contact_name, phone_primary, health_card_number) values ($1, $2, 'Mamie', '514-555-0199', 'ROYL 2552 2899')`,
        [family.id, family.child],
      );
    });
    await withConnection(database.superuser, (superuser) =>
      superuser.query(
        `insert into ops.maintenance_runs (job, run_by, duty, host, server, wal_lsn) values ('audit-partitions', 'camille.roy', 'sre', 'here', 'there', '0/1');
         update ops.maintenance_runs set ended_at = clock_timestamp(), outcome = 'done', detail = 'ask ${hidden[0]}'`,
      ),
    );
    const found = await alarms();
    const shown = Object.fromEntries(
      found.map(({ object, level, detail }) => [object, `${level}: ${detail}`]),
    );
    expect(shown).toMatchObject({
      'public.usage_logs.notes':
        'warning: of 1 values 1 like e-mail addresses, 1 like telephone numbers; the column answers as care',
      'public.children.special_needs':
        'error: of 1 values 1 like Social Insurance Numbers; the column answers as health',
      'public.families.settings': expect.stringMatching(/^warning: of \d+ values 1 like telephone numbers/),
      'ops.maintenance_runs.detail':
        'error: of 1 values 1 like e-mail addresses; the column answers as about nobody',
    });
    for (const quiet of [
      'public.users.email',
      'public.emergency_profiles.phone_primary',
      'public.children.allergies_notes',
    ])
      expect(Object.keys(shown)).not.toContain(quiet);
    // The log holds copies of rows, which the map knows of; a Social Insurance Number it may not.
    expect(shown['audit.events.new_row']).toMatch(/^error: of \d+ values 1 like Social/);
    for (const value of hidden) expect(JSON.stringify(found)).not.toContain(value);
  });

  test('looks into no more rows than it is told, and into all sorts of them', async () => {
    await asService(database, (service) =>
      service.query(
        `insert into public.usage_logs (family_id, child_id, usage_type, notes) select $1, $2, 'diaper_change', 'ana' || i || '@example.ca' from generate_series(1, 20000) i`,
        [family.id, family.child],
      ),
    );
    await withConnection(database.owner, (owner) => owner.query('analyze public.usage_logs'));
    const rows = await asDuty('compliance', (session) =>
      session.query<{ column_name: string; sampled: string; email: string }>(
        `select column_name, sampled, email from privacy.sample_shapes('public.usage_logs', 100) where column_name = 'notes'`,
      ),
    );
    expect(rows).toEqual([{ column_name: 'notes', sampled: '100', email: '100' }]);
  });

  test('is of tables of the map alone, and for those who read it', async () => {
    for (const table of ['pg_catalog.pg_authid', 'public.no_such', 'information_schema.tables']) {
      await asDuty('sre', async (session) => {
        await expect(
          session.query('select * from privacy.sample_shapes($1, 10)', [table]),
          table,
        ).rejects.toMatchObject({
          code: 'not_found',
        });
      });
    }
    for (const duty of ['support', 'auditor']) {
      await asDuty(duty, async (session) => {
        await expect(
          session.query(`select * from privacy.sample_shapes('public.users', 10)`),
          duty,
        ).rejects.toMatchObject({ code: 'permission_denied' });
      });
    }
    await asDuty('sre', async (session) => {
      await expect(
        session.query(`select * from privacy.sample_shapes('public.users', 0)`),
      ).rejects.toMatchObject({
        code: 'invalid_input',
      });
      // Counts, and no rows.
      await expect(session.query('select email from public.users')).rejects.toMatchObject({
        code: 'permission_denied',
      });
    });
  });
});
