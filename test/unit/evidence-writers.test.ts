import { randomInt } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { folderStore } from '../../src/evidence/folder-store.js';
import { appendRecord, type Evidence, verifyEvidence } from '../../src/evidence/index.js';
import { sha256 } from '../../src/evidence/record.js';
import { draft, newEvidence } from '../support/evidence.js';
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
  // Each with a memory and a lock of its own, and the same records and keys.
  const { key, keySet, records } = evidence.places;
  const machine = (name: string): Evidence => ({
    ...evidence,
    places: {
      ...evidence.places,
      key,
      keySet,
      records,
      trust: join(homeOf(evidence), name),
      seen: join(homeOf(evidence), name, 'seen.json'),
    },
    store: folderStore(records),
  });
  const machines = ['one', 'two', 'three'].map(machine);
  const appended = await Promise.all(
    machines.map(async (each) => {
      const told: [number, string][] = [];
      for (let at = 1; at <= 20; at += 1) {
        const { record, hash } = await appendRecord(each, draft(at));
        told.push([record.number, hash]);
      }
      return told;
    }),
  );
  expect(await sound(evidence, appended.flat())).toBe(60);
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
