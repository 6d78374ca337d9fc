import { randomInt } from 'node:crypto';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  appendRecord,
  createSigningKey,
  type Evidence,
  planRetirement,
  publishKeys,
  retireKey,
  rotateSigningKey,
  verifyEvidence,
} from '../../src/evidence/index.js';
import { sealRecord } from '../../src/evidence/record.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import type { Heads } from '../../src/platform/signing/key-set.js';
import { loadSigningKey } from '../../src/platform/signing/signing-key.js';
import { draft, newEvidence, temporaryFolder } from '../support/evidence.js';

let evidence: Evidence;
/** A console that has never seen these chains: it knows only the public keys. */
let keysFile: string;

beforeEach(async () => {
  evidence = await newEvidence();
  for (let number = 1; number <= 5; number += 1) await appendRecord(evidence, draft(number));
  keysFile = join(temporaryFolder(), 'keys.json');
  await publishKeys(evidence, keysFile);
});

const file = (number: number) =>
  join(evidence.places.records, 'drills', `${String(number).padStart(6, '0')}.json`);

type Named = `${string} ${number | null}`;

/** What the stand-alone verifier names, by kind and place. */
async function standalone(...options: string[]): Promise<{ exitCode: number; named: Named[] }> {
  const args = ['--keys', keysFile, '--json', ...options, join(evidence.places.records, 'drills')];
  const { exitCode, stdout, stderr } = await verifyStandalone(args);
  expect(stderr).toBe('');
  const { checked } = JSON.parse(stdout) as {
    checked: { chains: { faults: { kind: string; number: number | null }[] }[] }[];
  };
  const faults = checked.flatMap(({ chains }) => chains.flatMap((chain) => chain.faults));
  expect(exitCode).toBe(faults.length > 0 ? 3 : 0);
  return { exitCode, named: faults.map(({ kind, number }): Named => `${kind} ${number}`) };
}

/** What the console names, with its own memory or as one that has seen nothing yet. */
async function named(options: { fresh?: boolean; heads?: Heads[] } = {}): Promise<Named[]> {
  if (options.fresh !== false) await rm(evidence.places.seen, { force: true });
  const [report] = await verifyEvidence(evidence, { only: ['drills'], heads: options.heads ?? [] });
  return (report?.faults ?? []).map(({ kind, number }): Named => `${kind} ${number}`);
}

async function bothName(...faults: Named[]): Promise<void> {
  expect((await named()).sort()).toEqual([...faults].sort());
  expect((await standalone()).named.sort()).toEqual([...faults].sort());
}

describe('an untouched chain', () => {
  it('verifies', async () => {
    await bothName();
  });
});

describe('a flipped bit', () => {
  it('in any byte of any record is named as that record', async () => {
    const seed = Number(process.env.EVIDENCE_SEED ?? randomInt(1 << 30));
    const last = await readFile(file(5));
    const wrong: string[] = [];
    for (const number of [1, 3, 5]) {
      const bytes = number === 5 ? last : await readFile(file(number));
      for (let at = 0; at < bytes.length; at += 1) {
        const flipped = Buffer.from(bytes);
        // One bit a byte, by the seed, so that runs differ and any of them can be repeated.
        flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << ((seed + at * 7 + number) % 8)), at);
        await writeFile(file(number), flipped);
        const found = (await standalone()).named;
        if (
          found.length !== 1 ||
          !/^(edited|unknown_key) \d$/.test(found[0] ?? '') ||
          !found[0]?.endsWith(` ${number}`)
        )
          wrong.push(`record ${number}, byte ${at}: ${found.join(', ') || 'nothing'}`);
      }
      await writeFile(file(number), bytes);
    }
    expect(wrong, `EVIDENCE_SEED=${seed}`).toEqual([]);
    await bothName();
  }, 120_000);

  it('is named by the console as it is stand-alone', async () => {
    const bytes = await readFile(file(2));
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
    await writeFile(file(2), bytes);
    await bothName('edited 2');
  });

  it('and bytes added or cut are named', async () => {
    const bytes = await readFile(file(2));
    for (const altered of [
      Buffer.concat([bytes, Buffer.from(' ')]),
      bytes.subarray(0, -1),
      Buffer.alloc(0),
    ]) {
      await writeFile(file(2), altered);
      await bothName('edited 2');
    }
  });
});

describe('a record', () => {
  it('removed from the middle is missing', async () => {
    await rm(file(3));
    await bothName('removed 3');
  });

  it('removed from the beginning is missing', async () => {
    await rm(file(1));
    await bothName('removed 1');
  });

  it('removed, with the later ones moved up, is missing, and they are out of place', async () => {
    await rm(file(3));
    await rename(file(4), file(3));
    await rename(file(5), file(4));
    await bothName('removed 3', 'reordered 3', 'reordered 4');
  });

  it('swapped with another is out of place, as that one is', async () => {
    await rename(file(2), `${file(2)}.x`);
    await rename(file(4), file(2));
    await rename(`${file(2)}.x`, file(4));
    await bothName('reordered 2', 'reordered 4');
  });

  it('of another chain is misplaced', async () => {
    await appendRecord(evidence, draft(1, 'other'));
    await cp(file(1).replace('drills', 'other'), file(6));
    await bothName('misplaced 6');
  });

  it('with bytes of no record beside it is told from them', async () => {
    await writeFile(join(evidence.places.records, 'drills', 'note.txt'), 'x');
    await bothName('foreign null');
  });

  it('signed in place of another by the key itself is a fork', async () => {
    const { signer, record } = await forged(3);
    await writeFile(file(3), sealRecord({ ...record, content: { minutes: 99 } }, signer));
    await bothName('forked 3');
  });

  it('signed beside another by the key itself is a fork', async () => {
    const { signer, record } = await forged(3);
    await writeFile(
      file(3).replace('000003', '000003-b'),
      sealRecord({ ...record, content: { minutes: 99 } }, signer),
    );
    await bothName('forked 3');
  });

  it('of another context, or dated before its key, is named', async () => {
    const { signer, record, hash } = await forged(5);
    const next = { ...record, number: 6, previous: hash };
    await writeFile(file(6), sealRecord({ ...next, context: 'other' }, signer));
    await bothName('misplaced 6');
    await writeFile(file(6), sealRecord({ ...next, made_at: '2020-01-01T00:00:00.000Z' }, signer));
    await bothName('backdated 6', 'early_key 6');
  });

  it('dated before the one that it follows is named', async () => {
    const { signer, record } = await forged(5);
    await writeFile(file(5), sealRecord({ ...record, made_at: '2999-01-01T00:00:00.000Z' }, signer));
    await rm(evidence.places.seen);
    await expect(appendRecord(evidence, draft(6))).rejects.toMatchObject({ code: 'clock_behind' });
    const { signer: key, record: fifth } = await forged(5);
    const { record: fourth } = await forged(4);
    const before = new Date(Date.parse(fourth.made_at) - 1).toISOString();
    await writeFile(file(5), sealRecord({ ...fifth, made_at: before }, key));
    expect(await named()).toContain('backdated 5');
  });
});

describe('a chain cut at its end', () => {
  it('is seen by the console that saw more, and by whoever noted the head', async () => {
    const head = (await verifyEvidence(evidence, { only: ['drills'] }))[0]?.head;
    await rm(file(5));
    expect(await named({ fresh: false })).toEqual(['truncated 5']);
    expect((await standalone('--head', `drills:5:${head?.hash}`)).named).toEqual(['truncated 5']);
    // Without a witness nobody could know.
    expect((await standalone()).named).toEqual([]);
  });

  it('takes no further record', async () => {
    await rm(file(5));
    await expect(appendRecord(evidence, draft(6))).rejects.toMatchObject({ code: 'chain_cut', exitCode: 6 });
  });

  it('or wholly removed is seen', async () => {
    await rm(join(evidence.places.records, 'drills'), { recursive: true });
    expect(await named({ fresh: false })).toEqual(['truncated 1']);
  });

  it('and written anew by the key itself is a fork to whoever saw it', async () => {
    const { signer, record } = await forged(5);
    await writeFile(file(5), sealRecord({ ...record, content: { minutes: 99 } }, signer));
    expect(await named({ fresh: false })).toEqual(['forked 5']);
  });

  it('is seen by the heads that the key set keeps of a retirement', async () => {
    await rotateSigningKey(evidence, { because: 'yearly' });
    await publishKeys(evidence, keysFile);
    await rm(file(5));
    expect((await standalone()).named).toEqual(['truncated 5']);
    await rm(join(evidence.places.records, 'drills'), { recursive: true });
    const { stdout } = await verifyStandalone(['--keys', keysFile, evidence.places.records]);
    expect(stdout).toMatch(/TAMPERED {2}.*drills.*truncated/);
  });
});

describe('a key', () => {
  it('that was rotated keeps verifying what it signed', async () => {
    await rotateSigningKey(evidence, { because: 'yearly' });
    await appendRecord(evidence, draft(6));
    await publishKeys(evidence, keysFile);
    await bothName();
  });

  it('that was retired signs nothing any more, whatever time it claims', async () => {
    const { signer, record, hash } = await forged(5);
    await rotateSigningKey(evidence, { because: 'yearly' });
    await publishKeys(evidence, keysFile);
    // Backdated to the moment of the last good record: only its place gives it away.
    const late = { ...record, number: 6, previous: hash };
    await writeFile(file(6), sealRecord(late, signer));
    await bothName('retired_key 6');
  });

  it('that was stolen fails from that time on, and not before', async () => {
    const { record: fourth } = await forged(4);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const since = new Date();
    await appendRecord(evidence, draft(6));
    await retireKey(
      evidence,
      await planRetirement(evidence, { because: 'stolen laptop', stolenSince: since }),
    );
    await publishKeys(evidence, keysFile);
    expect(fourth.made_at < since.toISOString()).toBe(true);
    await bothName('stolen_key 6');
    // Alone, an earlier time is but the word of whoever signed it.
    expect(await verifyStandalone(['--keys', keysFile, file(4)])).toMatchObject({ exitCode: 9 });
    expect(await verifyStandalone(['--keys', keysFile, file(6)])).toMatchObject({ exitCode: 3 });
  });

  it('that was stolen cannot be made good again by a later date', async () => {
    const first = new Date(Date.now() - 1000);
    const plan = await planRetirement(evidence, { because: 'x', stolenSince: first });
    await retireKey(evidence, plan);
    await expect(
      planRetirement(evidence, { kid: plan.kid, because: 'y', stolenSince: new Date() }),
    ).rejects.toMatchObject({ code: 'stolen_earlier' });
  });

  it('that nobody published is unknown', async () => {
    const stranger = await newEvidence('test');
    await appendRecord(stranger, draft(1));
    await cp(join(stranger.places.records, 'drills', '000001.json'), file(6));
    expect(await named()).toContain('unknown_key 6');
  });

  it('destroyed by retirement is replaced by a new one, and both changes go on record', async () => {
    const plan = await planRetirement(evidence, { because: 'lost' });
    expect(await retireKey(evidence, plan)).toMatchObject({ destroyed: true, recorded: false });
    await expect(appendRecord(evidence, draft(6))).rejects.toMatchObject({ code: 'no_signing_key' });
    expect(await createSigningKey(evidence)).toMatchObject({ recorded: true });
    const keys = await readdir(join(evidence.places.records, 'keys'));
    expect(keys).toHaveLength(3);
  });

  it('whose rotation was cut short is settled by the next one at work', async () => {
    const before = await readFile(keyFile(), 'utf8');
    await rotateSigningKey(evidence, { because: 'yearly' });
    // As if killed between naming the next key in the set and putting it in place.
    await rename(keyFile(), `${keyFile()}.next`);
    await writeFile(keyFile(), before, { mode: 0o600 });
    await appendRecord(evidence, draft(6));
    // As if killed before the set named it.
    await writeFile(`${keyFile()}.next`, before, { mode: 0o600 });
    await appendRecord(evidence, draft(7));
    await publishKeys(evidence, keysFile);
    await bothName();
    expect((await readdir(evidence.places.trust)).sort()).toEqual([
      'key.pem',
      'keys.json',
      'lock',
      'seen.json',
    ]);
  });
});

function keyFile(): string {
  return 'file' in evidence.places.key ? evidence.places.key.file : '';
}

/** What a thief with the private key needs to make record `number` anew. */
async function forged(number: number) {
  const signer = await loadSigningKey(evidence.places.key);
  if (signer === undefined) throw new Error('no key');
  const { readStatement, sha256 } = await import('../../src/evidence/record.js');
  const { parseEnvelope } = await import('../../src/platform/signing/dsse.js');
  const bytes = await readFile(file(number));
  const envelope = parseEnvelope(bytes.toString('utf8'));
  const record = envelope === undefined ? undefined : readStatement(envelope);
  if (record === undefined) throw new Error('no record');
  return { signer, record, hash: sha256(bytes) };
}
