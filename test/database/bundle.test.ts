import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportBundle } from '../../src/audit/index.js';
import { signEnd } from '../../src/evidence/index.js';
import { verifyBundle } from '../../src/evidence/proof/verify-bundle.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import { type KeySet, parseKeySet } from '../../src/platform/signing/key-set.js';
import { loadSigningKey } from '../../src/platform/signing/signing-key.js';
import { attack } from '../support/attacks.js';
import { auditEvents } from '../support/audit-leaf.js';
import { checkBundle } from '../support/bundle-by-the-page.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';

const FAMILY = randomUUID();
const OTHER = randomUUID();

let log: SealedLog;
let auditor: Session;
let keySet: KeySet;
let x: string;
let whole: string;

beforeAll(async () => {
  log = await sealedLog();
  auditor = await openSession(await log.database.makeOperator('auditor'), {
    duty: 'auditor',
    reason: 'tests of bundles',
  });
  for (const id of [FAMILY, OTHER])
    await log.superuser.query(`insert into public.families (id, name) values ($1, 'Tremblay « é »')`, [id]);
  await log.superuser.query(
    `insert into public.families (name) select 'F' || n from generate_series(1, 700) n`,
  );
  await log.seal();
  const work = async (family: string) => {
    await log.superuser.query(
      `insert into public.children (family_id, name, date_of_birth) select $1, 'C' || n, '2026-01-01' from generate_series(1, 12) n`,
      [family],
    );
    await log.superuser.query(`set nestsync.reason = 'asked "twice"'`);
    await log.superuser.query('update public.children set name = name || $2 where family_id = $1', [
      family,
      '\u{1f37c}\n',
    ]);
    await log.superuser.query('reset nestsync.reason');
  };
  await work(FAMILY);
  await log.seal();
  await work(OTHER);
  await work(FAMILY);
  await log.seal();
  keySet = parseKeySet(await readFile(log.evidence.places.keySet, 'utf8'), 'keys');
  x = keySet.keys[0]?.x ?? '';
  whole = await bundle(FAMILY);
}, 60_000);
afterAll(async () => {
  await auditor?.close();
  await log?.close();
});

async function bundle(family: string, withhold: readonly ('actor' | 'purpose' | 'others')[] = []) {
  const path = join(log.home, `${randomUUID()}.bundle`);
  await exportBundle(auditor, log.evidence, { family, path, withhold });
  return await readFile(path, 'utf8');
}

const eventsOf = async (family: string) =>
  (await auditEvents(log.superuser, 'e.family_id = $1', [family])).map(({ id }) => id);

/** What is wrong with it; or `good`. */
async function judge(text: string | Buffer, expected = {}): Promise<string> {
  const judged = await verifyBundle(Readable.from([Buffer.from(text)]), keySet, expected);
  return 'proven' in judged ? 'good' : judged.kind;
}

/** As a forger would who has the exporter's key, and not the sealer's heads. */
async function signedAnew(body: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  const key = await loadSigningKey(log.evidence.places.key);
  const uuid = /nestsync-audit\/([0-9a-f-]{36})/.exec(body)?.[1] ?? '';
  if (key === undefined) throw new Error('no key');
  return `${body}${signEnd({ log: uuid, sha256: createHash('sha256').update(body).digest('hex') }, key.key)}`;
}

/** Header lines, events, end. */
function split(text: string): { head: string[]; events: string[]; end: string } {
  const at = text.lastIndexOf('\nnestsync-audit-bundle/') + 1;
  const lines = text.slice(0, at).split('\n').slice(0, -1);
  return { head: lines.slice(0, 2), events: lines.slice(2), end: text.slice(at) };
}

const joined = ({ head, events }: { head: string[]; events: string[] }) =>
  [...head, ...events].map((line) => `${line}\n`).join('');

describe('a bundle', () => {
  test('holds every event of the family and no other, by ours and by the page alone', async () => {
    const expected = await eventsOf(FAMILY);
    expect(expected.length).toBeGreaterThan(40);
    expect(checkBundle(whole, x)).toMatchObject({ family: FAMILY, events: expected });
    expect(await judge(whole)).toBe('good');
    const file = join(log.home, 'family.bundle');
    await writeFile(file, whole);
    const keys = log.evidence.places.keySet;
    const { exitCode, stdout } = await verifyStandalone(['--keys', keys, '--family', FAMILY, file]);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringContaining(`good      family ${FAMILY}: all ${expected.length} events of it`),
    ]);
  });

  test('of every family at hand holds, and of one that is not there shows that it is not', async () => {
    const families = await log.superuser.query<{ id: string }>(
      'select id from public.families order by id limit 30',
    );
    for (const { id } of [...families, { id: OTHER }])
      expect(checkBundle(await bundle(id), x).events).toEqual(await eventsOf(id));
    const none = await bundle(randomUUID());
    expect(checkBundle(none, x).events).toEqual([]);
    expect(await judge(none)).toBe('good');
    const file = join(log.home, 'none-of-it.bundle');
    await writeFile(file, none);
    const { exitCode, stdout } = await verifyStandalone(['--keys', log.evidence.places.keySet, file]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('no event of it among the first');
    expect(stdout).toContain("empty     so it is of any id that is no family's");
    expect(
      await judge(await signedAnew(joined(split(none)).replace(/"family":"[^"]+"/, `"family":"${FAMILY}"`))),
    ).toBe('edited');
  });

  test('is refused whatever byte of it is another', async () => {
    const bytes = Buffer.from(whole);
    const step = Math.max(1, Math.floor(bytes.length / 1500));
    for (let at = 0; at < bytes.length; at += at < 3000 || at > bytes.length - 400 ? 1 : step) {
      const other = Buffer.from(bytes);
      other[at] = (bytes[at] as number) ^ (1 << (at % 7));
      expect(`${at} ${await judge(other)}`).not.toBe(`${at} good`);
    }
    for (let length = 0; length < bytes.length; length += 97)
      expect(await judge(bytes.subarray(0, length))).not.toBe('good');
    expect(await judge(bytes.subarray(0, -1))).toBe('truncated');
    expect(await judge(`${whole}{"index":1}\n`)).toBe('added');
    expect(await judge(`${whole}more`)).toBe('truncated');
  }, 60_000);

  test('is refused with its reason though whoever altered it has the key of who exported it', async () => {
    const { head, events } = split(whole);
    const [first = '', second = ''] = events;
    const other = split(await bundle(OTHER));
    const forged = async (change: string[], top = head) =>
      judge(await signedAnew(joined({ head: top, events: change })));
    expect(await forged(events)).toBe('good');
    expect(await forged(events.slice(1))).toBe('removed');
    expect(await forged(events.slice(0, -1))).toBe('removed');
    expect(await forged([...events, other.events.at(-1) ?? ''])).toBe('added');
    expect(await forged([second, first, ...events.slice(2)])).toBe('reordered');
    const foreign =
      other.events.find((line) => JSON.parse(line).index > JSON.parse(events.at(-2) ?? '').index) ??
      other.events.at(-1) ??
      '';
    expect(await forged([...events.slice(0, -1), foreign])).toMatch(/^(misplaced|reordered)$/);
    expect(await forged([first, ...other.events.slice(1, 2), ...events.slice(2)])).toBe('misplaced');
    const leafed = events.map((line, at) =>
      at === 3
        ? JSON.stringify({ index: JSON.parse(line).index, leaf: Buffer.alloc(32).toString('base64') })
        : line,
    );
    expect(await forged(leafed)).toBe('edited');
    for (const [from, to] of [
      ['"app_user":null', '"app_user":"x"'],
      ['Tremblay', 'Trembley'],
      ['"operation":"INSERT"', '"operation":"UPDATE"'],
      ['asked \\"twice\\"', 'asked \\"once\\"'],
    ] as const) {
      const changed = events.map((line) => line.replace(from, to));
      if (changed.join() !== events.join()) expect(await forged(changed)).toBe('edited');
    }
    const fewer = head[1]?.replace(/"count":(\d+)/, (_, count) => `"count":${Number(count) - 1}`) ?? '';
    expect(await forged(events.slice(0, -1), [head[0] ?? '', fewer])).toBe('edited');
    expect(await forged(other.events, [head[0] ?? '', other.head[1]?.replace(OTHER, FAMILY) ?? ''])).toBe(
      'edited',
    );
  });

  test('says until when it is complete: an older one does not pass for a newer', async () => {
    const older = whole;
    await log.superuser.query('update public.children set name = $2 where family_id = $1', [FAMILY, 'later']);
    const { size, checkpoint } = await log.seal();
    const newer = await bundle(FAMILY);
    expect(await judge(older, { to: size })).toBe('incomplete');
    expect(await judge(older, { to: checkpoint.madeAt })).toBe('incomplete');
    expect(await judge(newer, { to: size, family: FAMILY })).toBe('good');
    expect(await judge(newer, { to: checkpoint.madeAt })).toBe('good');
    expect(await judge(newer, { family: OTHER })).toBe('misplaced');
    // The newer head over the older history.
    const note = (text: string) => /"checkpoint":("(?:[^"\\]|\\.)*")/.exec(text)?.[1] ?? '';
    const swapped = joined(split(older)).replace(note(older), () => note(newer));
    expect(await judge(await signedAnew(swapped), { to: size })).toBe('edited');
  });

  test('holds without who acted, why, and what is said of others; nothing of it is in the file', async () => {
    const secret = await bundle(FAMILY, ['actor', 'purpose', 'others']);
    expect(secret).not.toContain('asked');
    expect(whole).toContain('asked');
    expect(await judge(secret)).toBe('good');
    expect(checkBundle(secret, x).events).toEqual(await eventsOf(FAMILY));
    const hash = /"hash":"([^"]+)","withheld":true/.exec(secret)?.[1] ?? '';
    const changed = joined(split(secret)).replace(hash, Buffer.alloc(32, 7).toString('base64'));
    expect(await judge(await signedAnew(changed))).toBe('edited');
  });

  test('keeps the skeleton of what was erased, and says by which request', async () => {
    const [event] = await auditEvents(log.superuser, `e.family_id = $1 and e.operation = 'UPDATE'`, [FAMILY]);
    const before = await eventsOf(FAMILY);
    for (const part of [2, 3])
      await log.superuser.query('select audit.erase_part($1, $2, $3)', [event?.id, part, 'DSR-1']);
    const erased = await bundle(FAMILY);
    expect(checkBundle(erased, x).events).toEqual(before);
    const judged = await verifyBundle(Readable.from([Buffer.from(erased)]), keySet);
    expect(judged).toMatchObject({ proven: { erased: [{ request: 'DSR-1', events: 1 }] } });
    // The chains are still those of all events.
    expect((await log.faults()).filter((fault) => fault.startsWith('families_changed'))).toEqual([]);
  });

  test('is not made of what is not signed, was altered, or for who may not read it', async () => {
    await log.superuser.query(`update public.children set name = 'unsealed' where family_id = $1`, [OTHER]);
    const { events } = split(await bundle(OTHER));
    expect(events.length).toBeLessThan((await eventsOf(OTHER)).length);
    const path = join(log.home, 'none.bundle');
    await expect(exportBundle(log.sre, log.evidence, { family: OTHER, path })).rejects.toMatchObject({
      exitCode: 4,
    });
    const [event] = await auditEvents(log.superuser, 'e.family_id = $1', [OTHER]);
    await attack(log.superuser, `update audit.events set session_login = 'x' where id = ${event?.id}`);
    await expect(exportBundle(auditor, log.evidence, { family: OTHER, path })).rejects.toMatchObject({
      code: 'event_altered',
    });
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the chains of families', () => {
  test('that say another thing than the events are named, and sealed over they stay so', async () => {
    const tampered = await sealedLog();
    try {
      await tampered.write('Roy', 'Gagnon');
      await tampered.seal();
      // A leaf of one family is counted to another, chains and all.
      await attack(
        tampered.superuser,
        `update audit.tiles t set families = overlay(t.families placing int4send((select max(number) from audit.family_chains)) from (position(int4send((select min(number) from audit.family_chains)) in t.families))::int)
         where t.level = 0`,
        `update audit.family_chains set count = 0, head = decode(repeat('00', 32), 'hex')`,
        'select audit.extend_chains(0, (select size from audit.tree))',
      );
      const faults = await tampered.faults();
      expect(faults).toEqual([
        expect.stringMatching(/^families_changed \d+$/),
        expect.stringMatching(/^families_changed checkpoint \d+$/),
      ]);
      await tampered.write('later');
      await tampered.seal();
      expect(await tampered.faults()).toEqual(faults);
    } finally {
      await tampered.close();
    }
  });

  test('with another head are named', async () => {
    const tampered = await sealedLog();
    try {
      await tampered.write('Roy');
      await tampered.seal();
      await attack(tampered.superuser, `update audit.family_chains set head = sha256('x')`);
      expect(await tampered.faults()).toEqual([
        expect.stringMatching(/^families_changed family [0-9a-f]{64}$/),
      ]);
    } finally {
      await tampered.close();
    }
  });
});
