import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createSigningKey, type Evidence } from '../../src/evidence/index.js';
import { evidenceIn } from './evidence-context.js';

export { draft } from './evidence-context.js';

/** A context's worth of evidence in a folder of the test's own, with a signing key. */
export async function newEvidence(name = 'test'): Promise<Evidence> {
  const home = temporaryFolder();
  const evidence = evidenceIn(home, name);
  await createSigningKey(evidence);
  return evidence;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nestctl-evidence-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
