import { randomInt } from 'node:crypto';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { appendRecord, type Evidence, verifyEvidence } from '../../src/evidence/index.js';
import { sha256 } from '../../src/evidence/record.js';
import { draft, newEvidence, temporaryFolder } from '../support/evidence.js';
import { EvidenceWriter } from '../support/evidence-writer.js';

const homeOf = ({ places }: Evidence) => join(places.trust, '..', '..', '..');

/** Everything told as kept is there, byte for byte, and the chain verifies. */
async function sound(evidence: Evidence, told: readonly [number, string][]): Promise<number> {
  const [report] = await verifyEvidence(evidence, { only: ['drills'] });
  expect(report?.faults).toEqual([]);
  for (const [number, hash] of told) {
    const bytes = await evidence.store.read('drills', number);
    expect(bytes && sha256(bytes), `record ${number}`).toBe(hash);
  }
  return report?.size ?? 0;
}

it('four writers at once make one chain, with every record of each', async () => {
  const evidence = await newEvidence();
  const writers = [1, 2, 3, 4].map(() => new EvidenceWriter(homeOf(evidence), 'drills', 15));
  for (const writer of writers) expect(await writer.end()).toBe(0);
  const told = writers.flatMap((writer) => writer.told);
  expect(new Set(told.map(([number]) => number)).size).toBe(60);
  expect(await sound(evidence, told)).toBe(60);
});

it('writers that share no lock, as on two machines, make one chain too', async () => {
  const evidence = await newEvidence();
  const homes = [1, 2, 3].map(() => temporaryFolder());
  for (const home of homes) {
    const trust = join(home, 'contexts', 'test', 'signing');
    for (const name of ['key.pem', 'keys.json'])
      await cp(join(evidence.places.trust, name), join(trust, name));
  }
  const writers = homes.map((home) => new EvidenceWriter(home, 'drills', 40, evidence.places.records));
  for (const writer of writers) expect(await writer.end()).toBe(0);
  const told = writers.flatMap((writer) => writer.told);
  expect(told.map(([number]) => number).sort((x, y) => x - y)).toEqual(
    [...Array(120).keys()].map((at) => at + 1),
  );
  // Else they only took turns.
  const spans = writers.map(({ told: own }) => (own.at(-1)?.[0] ?? 0) - (own[0]?.[0] ?? 0) + 1);
  expect(Math.max(...spans)).toBeGreaterThan(40);
  expect(await sound(evidence, told)).toBe(120);
});

it('a writer killed at any moment leaves a chain that verifies, with all it told, and that goes on', async () => {
  const evidence = await newEvidence();
  const told: [number, string][] = [];
  const seed = Number(process.env.EVIDENCE_SEED ?? randomInt(1 << 30));
  for (let round = 0; round < 12; round += 1) {
    const writer = new EvidenceWriter(homeOf(evidence), 'drills', 1_000);
    while (writer.told.length === 0) await sleep(5);
    await sleep((seed * (round + 1) * 7919) % 120);
    writer.kill();
    expect(await writer.end(), 'it was killed, and did not fail').toBeNull();
    told.push(...writer.told);
    await sound(evidence, writer.told);
  }
  const { record } = await appendRecord(evidence, draft(1));
  expect(await sound(evidence, told), `EVIDENCE_SEED=${seed}`).toBe(record.number);
  expect(record.number).toBeGreaterThan(told.length);
  const names = await readdir(join(evidence.places.records, 'drills'));
  expect(names.filter((name) => !/^\d{6}\.json$/.test(name) && !name.startsWith('.draft-'))).toEqual([]);
}, 120_000);
