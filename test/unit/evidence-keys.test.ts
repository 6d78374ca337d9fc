import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  appendRecord,
  createLedgerKey,
  createSigningKey,
  type Evidence,
  importKeys,
  listRecords,
  loadImported,
  openLedger,
  planImport,
  planRetirement,
  publishKeys,
  retireKey,
  rotateLedgerKey,
  rotateSigningKey,
  verifyEvidence,
} from '../../src/evidence/index.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import { fingerprint, type KeySet } from '../../src/platform/signing/key-set.js';
import { draft, newEvidence, temporaryFolder } from '../support/evidence.js';
import { evidenceIn } from '../support/evidence-context.js';

const WHY = { because: 'shared evidence', ticket: 'OPS-1' };

/** What the chain of key changes says, oldest first. */
async function changes(evidence: Evidence): Promise<Record<string, unknown>[]> {
  const { records } = await listRecords(evidence, { chain: 'keys', limit: 100 });
  return records.map(({ record }) => record?.content ?? {}).reverse();
}

async function named(evidence: Evidence): Promise<string[]> {
  const reports = await verifyEvidence(evidence);
  return reports.flatMap(({ faults }) =>
    faults.map(({ kind, chain, number }) => `${kind} ${chain}/${number}`),
  );
}

describe("another operator's keys", () => {
  let mine: Evidence;
  let theirs: Evidence;
  let file: string;

  beforeEach(async () => {
    mine = await newEvidence();
    theirs = await newEvidence();
    file = join(temporaryFolder(), 'theirs.json');
    await publishKeys(theirs, file);
  });

  it('make records of two machines verify on both, and on neither before', async () => {
    // Another machine that keeps its records in the same folder, on a share.
    const alone = evidenceIn(temporaryFolder());
    const { records } = mine.places;
    const shared = { ...alone, store: mine.store, places: { ...alone.places, records } };
    await createSigningKey(shared);
    await publishKeys(shared, file);
    await appendRecord(mine, draft(1));
    await appendRecord(shared, draft(2));
    await appendRecord(mine, draft(3));
    expect(await named(mine)).toEqual(['unknown_key drills/2', 'unknown_key keys/2']);
    const plan = await planImport(mine, file, 'alex.tremblay');
    expect(plan).toMatchObject({ new: [expect.any(String)], changed: [], owner: 'alex.tremblay' });
    expect(await importKeys(mine, plan, WHY)).toMatchObject({ imported: plan.new, recorded: true });
    expect(await named(mine)).toEqual([]);

    const back = join(temporaryFolder(), 'mine.json');
    await publishKeys(mine, back);
    await importKeys(shared, await planImport(shared, back, 'camille.roy'), WHY);
    expect(await named(shared)).toEqual([]);
    expect((await changes(mine)).filter(({ event }) => event === 'imported')).toMatchObject([
      { kid: plan.new[0], owner: 'alex.tremblay', because: 'shared evidence', ticket: 'OPS-1' },
      { owner: 'camille.roy' },
    ]);

    const all = join(temporaryFolder(), 'all.json');
    await publishKeys(mine, all);
    expect(await verifyStandalone(['--keys', all, mine.places.records])).toMatchObject({ exitCode: 3 });
    await publishKeys(mine, all, { imported: true });
    expect(await verifyStandalone(['--keys', all, mine.places.records])).toMatchObject({ exitCode: 0 });
    expect(await readFile(all, 'utf8')).not.toMatch(/owner|imported|OPS-1/);
  });

  it('never sign here, and are kept where nobody else can write', async () => {
    await importKeys(mine, await planImport(mine, file, 'alex.tremblay'), WHY);
    expect((await stat(mine.places.imported)).mode & 0o777).toBe(0o600);
    const { kid } = await appendRecord(mine, draft(1));
    expect((await loadImported(mine.places)).map((key) => key.kid)).not.toContain(kid);
  });

  it('are told by their fingerprint from a file that was changed on its way', async () => {
    const { keys } = JSON.parse(await readFile(file, 'utf8')) as KeySet;
    const plan = await planImport(mine, file, 'alex.tremblay');
    expect(plan.fingerprint).toBe(fingerprint(keys));
    expect(plan.fingerprint).toMatch(/^([0-9a-f]{4}-){7}[0-9a-f]{4}$/);
    const [key] = keys;
    if (key === undefined) throw new Error('no key');
    const heads = { test: { drills: { size: 1, hash: '0'.repeat(64) } } };
    const other = await newEvidence();
    for (const changed of [
      [{ ...key, valid_from: '2020-01-01T00:00:00.000Z' }],
      [{ ...key, retired_at: '2026-01-01T00:00:00.000Z' }],
      [{ ...key, retired_at: '2026-01-01T00:00:00.000Z', heads }],
      [...keys, ...(await publishKeys(other)).keys],
    ]) {
      expect(fingerprint(changed)).not.toBe(plan.fingerprint);
    }
    // The order of keys and of their fields says nothing.
    const two = [...keys, ...(await publishKeys(other)).keys];
    const turned = two.toReversed().map((each) => Object.fromEntries(Object.entries(each).toReversed()));
    expect(fingerprint(turned as unknown as KeySet['keys'])).toBe(fingerprint(two));
  });

  it('can be imported again when they were rotated or stolen, and never be made better', async () => {
    const old = join(temporaryFolder(), 'old.json');
    await cp(file, old);
    await importKeys(mine, await planImport(mine, file, 'alex.tremblay'), WHY);
    await rotateSigningKey(theirs, { because: 'yearly' });
    await publishKeys(theirs, file);
    const rotated = await planImport(mine, file, 'alex.tremblay');
    expect([rotated.new.length, rotated.changed.length]).toEqual([1, 1]);
    await importKeys(mine, rotated, WHY);
    expect(await planImport(mine, file, 'alex.tremblay')).toMatchObject({ new: [], changed: [] });
    await expect(planImport(mine, old, 'alex.tremblay')).rejects.toMatchObject({ code: 'key_loosened' });

    const { kid } = await planRetirement(theirs, { because: 'x' });
    const since = new Date(Date.now() - 60_000);
    await retireKey(theirs, await planRetirement(theirs, { kid, because: 'theft', stolenSince: since }));
    await cp(file, old);
    await publishKeys(theirs, file);
    await importKeys(mine, await planImport(mine, file, 'alex.tremblay'), WHY);
    expect(
      (await loadImported(mine.places)).filter(({ stolen_since }) => stolen_since !== undefined),
    ).toHaveLength(1);
    await expect(planImport(mine, old, 'alex.tremblay')).rejects.toMatchObject({ code: 'key_loosened' });
    // Heads that reach further would make records good that are not.
    type Loose = Record<string, unknown>;
    const set = JSON.parse(await readFile(file, 'utf8')) as { keys: Loose[] };
    const forgeries: ((key: Loose) => Loose)[] = [
      (key) => ({ ...key, heads: undefined }),
      (key) => ({
        ...key,
        heads: { test: { keys: { size: 99, hash: '0'.repeat(64) } } },
      }),
      (key) => ({
        ...key,
        ...(key.stolen_since === undefined
          ? {}
          : { proven: { test: { keys: { size: 99, hash: '0'.repeat(64) } } } }),
      }),
    ];
    for (const forge of forgeries) {
      await writeFile(old, JSON.stringify({ keys: set.keys.map(forge) }));
      await expect(planImport(mine, old, 'alex.tremblay')).rejects.toMatchObject({ code: 'key_loosened' });
    }
  });

  it('are not those of this console, nor private, nor none', async () => {
    const own = join(temporaryFolder(), 'own.json');
    await publishKeys(mine, own);
    await expect(planImport(mine, own, 'me')).rejects.toMatchObject({ code: 'key_set_empty' });
    await writeFile(own, '{"keys":[]}');
    await expect(planImport(mine, own, 'me')).rejects.toMatchObject({ code: 'key_set_empty' });
    const { keys } = JSON.parse(await readFile(file, 'utf8')) as KeySet;
    await writeFile(own, JSON.stringify({ keys: [{ ...keys[0], d: 'AA' }] }));
    await expect(planImport(mine, own, 'me')).rejects.toMatchObject({ code: 'key_set_invalid' });
  });
});

describe('a stolen key', () => {
  it('leaves in doubt what only its signer dates before the theft, and good what another clock proves', async () => {
    const evidence = await newEvidence();
    const records = [1, 2, 3].map((number) => draft(number));
    for (const each of records) await appendRecord(evidence, each);
    const { head } = (await verifyEvidence(evidence, { only: ['drills'] }))[0] ?? {};
    if (head === null || head === undefined) throw new Error('no head');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const stolenSince = new Date();
    // The thief backdates: nothing in the record tells.
    await appendRecord(evidence, draft(4));
    const keys = join(temporaryFolder(), 'keys.json');
    const report = async () => {
      await publishKeys(evidence, keys);
      const [chain] = await verifyEvidence(evidence, { only: ['drills'] });
      const alone = await verifyStandalone([
        '--keys',
        keys,
        '--json',
        join(evidence.places.records, 'drills'),
      ]);
      const [checked] = JSON.parse(alone.stdout).checked;
      expect(checked.chains[0].doubts).toEqual(chain?.doubts);
      expect(checked.chains[0].faults).toEqual(chain?.faults);
      return {
        doubts: chain?.doubts.map(({ number }) => number),
        faults: chain?.faults.map(({ kind, number }) => `${kind} ${number}`),
        exitCode: alone.exitCode,
      };
    };
    const plan = await planRetirement(evidence, { because: 'theft', stolenSince });
    await retireKey(evidence, plan);
    expect(await report()).toEqual({ doubts: [1, 2, 3], faults: ['stolen_key 4'], exitCode: 3 });

    const hash = (await listRecords(evidence, { chain: 'drills', limit: 9 })).records.find(
      ({ number }) => number === 2,
    )?.hash;
    const proven = { drills: { size: 2, hash: hash ?? '' } };
    await retireKey(
      evidence,
      await planRetirement(evidence, { kid: plan.kid, because: 'theft', stolenSince, proven }),
    );
    expect(await report()).toEqual({ doubts: [3], faults: ['stolen_key 4'], exitCode: 3 });
    // Asked again where the store is out of reach, the proof stays.
    await retireKey(
      evidence,
      await planRetirement(evidence, { kid: plan.kid, because: 'theft', stolenSince }),
    );
    expect(await report()).toMatchObject({ doubts: [3] });
    // But not for an earlier theft.
    const earlier = new Date(stolenSince.getTime() - 1);
    await retireKey(
      evidence,
      await planRetirement(evidence, { kid: plan.kid, because: 'theft', stolenSince: earlier }),
    );
    expect(await report()).toMatchObject({ doubts: [1, 2, 3] });
  });

  it('whose records are all in doubt is no pass, stand-alone either', async () => {
    const evidence = await newEvidence();
    await appendRecord(evidence, draft(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await retireKey(evidence, await planRetirement(evidence, { because: 'theft', stolenSince: new Date() }));
    const keys = join(temporaryFolder(), 'keys.json');
    await publishKeys(evidence, keys);
    const { exitCode, stdout } = await verifyStandalone(['--keys', keys, evidence.places.records]);
    expect(exitCode).toBe(9);
    expect(stdout).toMatch(/unknown {3}chain drills, record 1: only its signer says/);
    expect(stdout).not.toContain('good');
  });
});

describe('the stand-alone verifier', () => {
  it('names the record that vouches for a file, and calls any other file a stranger', async () => {
    const evidence = await newEvidence();
    const folder = temporaryFolder();
    const [report, other] = [join(folder, 'report.html'), join(folder, 'other.html')];
    await writeFile(report, 'all is well');
    await writeFile(other, 'all is  well');
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update('all is well').digest('hex');
    await appendRecord(evidence, { ...draft(1), subject: [{ name: 'drill report', sha256 }] });
    const keys = join(folder, 'keys.json');
    await publishKeys(evidence, keys);
    const run = (...args: string[]) => verifyStandalone(['--keys', keys, ...args, evidence.places.records]);
    const good = await run('--file', report);
    expect(good.exitCode).toBe(0);
    expect(good.stdout).toMatch(
      /good {6}.*report\.html: the drill drills\/1 of .* is about it, as drill report/,
    );
    const bad = await run('--file', report, '--file', other);
    expect(bad.exitCode).toBe(3);
    expect(bad.stdout).toMatch(/STRANGER {2}.*other\.html/);
    expect(await run('--file', join(folder, 'absent'))).toMatchObject({ exitCode: 5 });
    // A record that does not verify vouches for nothing.
    const path = join(evidence.places.records, 'drills', '000001.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"payload":"e', '"payload":"f'));
    expect((await run('--file', report)).stdout).toContain('STRANGER');
  });
});

describe('a ledger', () => {
  it('recognises what was entered, under every key there ever was, and nothing else', async () => {
    const evidence = await newEvidence();
    await expect(openLedger(evidence, 'erasures')).rejects.toMatchObject({ code: 'no_ledger_key' });
    await createLedgerKey(evidence, { because: 'erasures begin', ticket: 'OPS-2' });
    const before = (await openLedger(evidence, 'erasures')).entry('gran@example.ca');
    await rotateLedgerKey(evidence, { because: 'yearly' });
    const ledger = await openLedger(evidence, 'erasures');
    const after = ledger.entry('gran@example.ca');
    expect(after.kid).not.toBe(before.kid);
    for (const entry of [before, after]) {
      expect(ledger.matches('gran@example.ca', entry)).toBe(true);
      expect(ledger.matches('gran@example.com', entry)).toBe(false);
      expect((await openLedger(evidence, 'holds')).matches('gran@example.ca', entry)).toBe(false);
      expect(JSON.stringify(entry)).not.toContain('gran');
    }
    expect(ledger.matches('gran@example.ca', { ...before, mac: before.mac.slice(1) })).toBe(false);
    // Without its key "not here" would be a claim that nobody can make.
    expect(() => ledger.matches('x', { ...before, kid: 'another' })).toThrow(/not on this machine/);
  });

  it('has its keys on record, by their names alone', async () => {
    const evidence = await newEvidence();
    const { kid, recorded } = await createLedgerKey(evidence, { because: 'erasures begin', ticket: 'OPS-2' });
    expect(recorded).toBe(true);
    expect((await changes(evidence)).at(-1)).toMatchObject({
      event: 'ledger-created',
      kid,
      by: 'camille.roy',
      because: 'erasures begin',
      ticket: 'OPS-2',
    });
    const { keys } = JSON.parse(await readFile(evidence.places.ledgerKeys, 'utf8'));
    const { records } = await listRecords(evidence, { limit: 10 });
    expect(JSON.stringify(records)).not.toContain(keys[0].k);
  });

  it('whose key came before any signing key goes on record with that one', async () => {
    const evidence = evidenceIn(temporaryFolder());
    expect(await createLedgerKey(evidence)).toMatchObject({ recorded: false });
    await createSigningKey(evidence);
    expect((await changes(evidence)).map(({ event }) => event).sort()).toEqual(['created', 'ledger-created']);
  });
});

describe('a list of records', () => {
  it('comes page by page, the newest first, each once, whatever is added or damaged meanwhile', async () => {
    const evidence = await newEvidence();
    const chains = ['drills', 'erasures', 'residency'];
    for (let number = 1; number <= 12; number += 1) {
      await appendRecord(evidence, draft(number, chains[number % 3] ?? ''));
    }
    const whole = await listRecords(evidence, { limit: 100 });
    expect(whole).toMatchObject({ nextCursor: undefined });
    const ids = whole.records.map(({ id }) => id);
    expect(ids).toHaveLength(13);
    const times = whole.records.map(({ record }) => record?.made_at ?? '');
    expect(times).toEqual(times.toSorted().toReversed());

    for (const limit of [1, 2, 5, 13]) {
      const paged: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await listRecords(evidence, { limit, cursor });
        expect(page.records.length).toBeLessThanOrEqual(limit);
        paged.push(...page.records.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(paged).toEqual(ids);
    }

    const first = await listRecords(evidence, { limit: 4 });
    await appendRecord(evidence, draft(99));
    await appendRecord(evidence, draft(1, 'brand-new'));
    const path = join(evidence.places.records, 'drills', '000001.json');
    await writeFile(path, 'damaged');
    const rest = await listRecords(evidence, { limit: 100, cursor: first.nextCursor });
    expect([...first.records, ...rest.records].map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(rest.records.find(({ id }) => id === 'drills/1')).toMatchObject({ record: null });
    await expect(listRecords(evidence, { limit: 1, cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({
      code: 'invalid_cursor',
    });
  });

  it('keeps to a type and a chain across pages', async () => {
    const evidence = await newEvidence();
    for (let number = 1; number <= 6; number += 1) {
      await appendRecord(evidence, { ...draft(number), type: number % 2 === 0 ? 'drill' : 'restore' });
    }
    const page = await listRecords(evidence, { chain: 'drills', type: 'restore', limit: 2 });
    expect(page.records.map(({ number }) => number)).toEqual([5, 3]);
    const rest = await listRecords(evidence, {
      chain: 'drills',
      type: 'restore',
      limit: 2,
      cursor: page.nextCursor,
    });
    expect(rest.records.map(({ number }) => number)).toEqual([1]);
    expect(rest.nextCursor).toBeUndefined();
    await mkdir(join(evidence.places.records, 'empty'));
    expect((await listRecords(evidence, { chain: 'empty', limit: 2 })).records).toEqual([]);
  });
});
