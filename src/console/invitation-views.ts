import type { Change } from './change.js';
import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import { details, text } from './views.js';

interface Invitation {
  readonly family_id: string;
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly status: string;
  readonly expires_at: Date;
  readonly seen: string;
}

interface InvitationChange {
  readonly before: Invitation;
  readonly wish: { readonly verb: 'resend'; readonly until: Date } | { readonly verb: 'revoke' };
}

/** How every change of an invitation is shown, asked for and reported. */
export const invitationChange: Pick<Change<InvitationChange, Invitation>, 'show' | 'question' | 'done'> = {
  show: ({ before, wish }) =>
    details({
      invitation: before.id,
      to: before.email,
      role: before.role,
      status: before.status,
      until: before.expires_at,
      ...(wish.verb === 'resend' ? { 'new end': wish.until } : {}),
    }),
  question: ({ before, wish }) => `${wish.verb} the invitation to ${before.email}?`,
  done: (invitation, { wish }) =>
    invited(
      invitation,
      wish.verb === 'resend'
        ? 'The application sends the mail; links sent before open nothing any more.'
        : `The invitation to ${invitation.email} is revoked.`,
    ),
};

/** What was done about an invitation, with the way back. */
export function invited({ seen, ...invitation }: Invitation, line: string): Outcome {
  const { family_id, id, email, role, status } = invitation;
  const wayBack =
    status === 'revoked'
      ? commandLine(['invitation', 'create', '--family', family_id, '--email', email, '--role', role])
      : commandLine(['invitation', 'revoke', '--family', family_id, id]);
  return {
    result: { invitation, way_back: wayBack },
    view: [
      text(line, { mark: 'good' }),
      details({ invitation: id, to: email, role, until: invitation.expires_at, 'way back': wayBack }),
    ],
    next: commandLine(['invitation', 'list', '--family', family_id]),
  };
}
