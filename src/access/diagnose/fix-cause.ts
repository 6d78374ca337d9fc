import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { ensureAccess } from '../ensure-access.js';
import type { AccessWish } from '../open-access.js';
import type { Cause } from './cause.js';
import { type Diagnosis, type DiagnosisWish, diagnoseAccess } from './diagnose-access.js';
import type { Step } from './step.js';
import { prepareStep } from './take-step.js';

/** What mending a cause would do. */
export interface Fix {
  readonly person: Diagnosis['person'];
  readonly cause: Cause;
  /** The rows it starts from, each by its version: it is done to these and no others. */
  readonly seen: Readonly<Record<string, string>>;
}

export interface FixDone {
  readonly cause: Cause;
  /** What is found after it. */
  readonly after: Diagnosis;
}

/**
 * What mending one cause of a diagnosis would change. Opens the grants that its families and accounts need, where the
 * purpose has reason and ticket. Throws `usage` for a cause that was not found, `not_allowed` for one that support may
 * not mend, `no_grant`.
 */
export async function planFix(
  session: Session,
  { person, causes }: Diagnosis,
  id: string,
  purpose: AccessWish,
): Promise<Fix> {
  const cause = causes.find((one) => one.id === id) ?? refuseUnknown(id, causes);
  if (cause.steps.length === 0) throw handedOver(cause);
  for (const step of cause.steps) {
    if ('family' in step) await ensureAccess(session, { kind: 'family', id: step.family }, purpose);
    for (const account of accountsOf(step)) {
      await ensureAccess(session, { kind: 'user', id: account }, purpose);
    }
  }
  const seen: Record<string, string> = {};
  // What is linked moves memberships, which later steps then find.
  const link = cause.steps.findIndex(({ does }) => does === 'user link-accounts');
  for (const step of link === -1 ? cause.steps : cause.steps.slice(0, link + 1)) {
    Object.assign(seen, (await prepareStep(session, step, person)).rows);
  }
  return { person, cause, seen };
}

/**
 * Takes all steps in one transaction, each by its own operation, and diagnoses again. Throws `conflict` where a row has
 * changed since it was planned.
 */
export async function applyFix(
  session: Session,
  { cause, person, seen }: Fix,
  wish: DiagnosisWish,
  purpose: AccessWish,
): Promise<FixDone> {
  await session.transaction(async () => {
    const taken = new Set<string>();
    for (const step of cause.steps) {
      const { rows, take } = await prepareStep(session, step, person);
      const stale = Object.keys(rows).some(
        (row) => !taken.has(row) && seen[row] !== undefined && seen[row] !== rows[row],
      );
      if (stale) throw changedMeanwhile();
      await take();
      for (const row of Object.keys(rows)) taken.add(row);
    }
  });
  return { cause, after: await diagnoseAccess(session, wish, purpose) };
}

function changedMeanwhile(): NestctlError {
  return new NestctlError('What was diagnosed has changed since it was shown.', {
    kind: 'conflict',
    code: 'stale_diagnosis',
    hint: 'Diagnose again and look at the new plan.',
  });
}

function refuseUnknown(id: string, causes: readonly Cause[]): never {
  throw new NestctlError(`"${id}" is no cause that was found.`, {
    kind: 'usage',
    code: 'unknown_cause',
    hint: causes.length === 0 ? 'None was found.' : `Found: ${causes.map((one) => one.id).join(', ')}.`,
  });
}

function handedOver({ says, who, afterwards }: Cause): NestctlError {
  return new NestctlError(`Support does not mend this: ${says}.`, {
    kind: 'not_allowed',
    code: 'handed_over',
    hint: `Who can: ${who ?? afterwards ?? 'nobody'}.`,
  });
}

function accountsOf(step: Step): string[] {
  switch (step.does) {
    case 'user reinstate':
    case 'user resend-verification':
      return [step.user];
    case 'user link-accounts':
      return [step.user, step.duplicate];
    default:
      return [];
  }
}
