import { day } from '../explain/membership-steps.js';
import { sinceWhen } from './blockers.js';
import { type CauseWithoutId, cause } from './cause.js';
import type { DiagnosisFacts } from './facts.js';
import { verification } from './invitation-causes.js';

/** What bars the account itself, wherever it belongs. */
export function accountCauses({ person, consent_missing, now }: DiagnosisFacts): CauseWithoutId[] {
  return [
    ...(person.status === 'pending_deletion'
      ? [
          cause('pending_deletion', 'asked for deletion: the account waits to be deleted', {
            who: 'compliance: only they can stop a deletion, and only if the person withdraws it',
            since: person.deletion_requested_at ?? person.changed_at,
            evidence:
              person.deletion_requested_at === null
                ? []
                : [`asked for on ${sinceWhen(person.deletion_requested_at, now)}`],
          }),
        ]
      : []),
    ...(consent_missing
      ? [
          cause('consent_withdrawn', 'withdrew a consent without which the app shows none of this', {
            who: 'compliance: they see which consent it is, and only the person can give it again, in the app',
            evidence: ['which consent, and when, is not shown to support'],
          }),
        ]
      : []),
    ...(person.status === 'suspended'
      ? [
          cause('account_suspended', `the account is suspended, last changed ${day(person.changed_at)}`, {
            steps: [{ does: 'user reinstate', user: person.id }],
            since: person.changed_at,
            caution: 'find out in the log why it was suspended: nestctl audit query --user …',
          }),
        ]
      : []),
    ...(person.status === 'pending_verification'
      ? [
          cause('email_unverified', 'never confirmed this e-mail address, so the app does not let them in', {
            steps: verification(person),
            since: person.changed_at,
            afterwards: 'they open the link in the verification mail',
            who: person.mail_waiting ? 'they themselves: a verification mail is on its way already' : null,
          }),
        ]
      : []),
    ...(person.locked_until !== null
      ? [
          cause(
            'account_locked',
            `is locked out after failed sign-ins until ${person.locked_until.slice(0, 16).replace('T', ' ')} UTC`,
            {
              who: 'nobody: it ends by itself; a forgotten password is reset in the app',
              since: person.locked_until,
            },
          ),
        ]
      : []),
  ];
}
