import type { Session } from '../../platform/database/session.js';
import { explainAccess } from '../explain/index.js';
import type { AccessWish } from '../open-access.js';
import { type Cause, cause } from './cause.js';
import type { DiagnosisFacts } from './facts.js';

/**
 * Where no known cause bars anything and yet the policies keep a real row from the person, a policy or a right was
 * changed: explain says which.
 */
export async function askPolicies(
  session: Session,
  { person, families }: DiagnosisFacts,
  purpose: AccessWish,
): Promise<Cause[]> {
  const causes: Cause[] = [];
  for (const { family, samples, granted } of families) {
    for (const [table, sample] of Object.entries(samples ?? {})) {
      if (sample === null || sample.readable) continue;
      const row = JSON.stringify({ family_id: family.id, id: sample.id });
      const { verdict, missing, mend } = await explainAccess(
        session,
        { user: person.id, table, row, command: 'select' },
        purpose,
      );
      if (verdict === 'allowed') continue;
      causes.push({
        id: `policy_refuses:${table}`,
        ...cause(
          'policy_refuses',
          `the policies of ${table} ${verdict === 'denied' ? 'refuse' : 'may refuse'} them family ${family.name}, whatever their membership`,
          {
            family: { id: family.id, name: family.name, granted },
            evidence: [
              ...missing.map(({ is }) => is),
              `see it condition by condition: nestctl access explain --user ${person.id} --table ${table} --row '${row}'`,
            ],
            who:
              mend.find(({ who }) => who !== null)?.who ??
              'whoever changed the policies: nestctl doctor tells of a drift',
          },
        ),
        commands: [],
      });
    }
  }
  return causes;
}
