import type { Context } from '../config/contexts.js';
import { contextFilePath } from '../config/paths.js';
import { residencyPolicy } from '../config/services.js';
import { type Finding, finding } from '../doctor/finding.js';
import { checkConnections } from './check-connections.js';
import { checkMail } from './check-mail.js';
import { checkOutside } from './check-outside.js';
import { checkBackup, checkObjectStore, checkSigningKey } from './check-services.js';

/** Tries every part of a context for real: what connects, what may be read, where data would go. */
export async function checkContext(
  context: Context,
  onPart: (part: string) => void = () => undefined,
): Promise<Finding[]> {
  // Whoever holds a Context has passed the check of the file's permissions and shape.
  const findings = [
    finding('context file', 'ok', 'well-formed and closed to others', { object: contextFilePath() }),
  ];
  onPart('connections');
  findings.push(...(await checkConnections(context)));
  onPart('object store');
  findings.push(...(await checkObjectStore(context)));
  onPart('mail server');
  findings.push(...(await checkMail(context)));
  onPart('others outside');
  findings.push(...(await checkOutside(context)));
  onPart('signing key and backup engine');
  findings.push(...(await checkSigningKey(context)), ...(await checkBackup(context)));
  const { regions } = residencyPolicy(context);
  findings.push(finding('residency policy', 'info', `data may lie in ${regions.join(', ')}`));
  return findings;
}
