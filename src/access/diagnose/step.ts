/** One change that mends something: an operation of family management, and the command that does the same. */
export type Step =
  | { readonly does: 'member extend'; readonly family: string; readonly user: string; readonly days: number }
  | { readonly does: 'member reinstate'; readonly family: string; readonly user: string }
  | { readonly does: 'member add'; readonly family: string; readonly user: string; readonly role: Role }
  | {
      readonly does: 'member set-permissions';
      readonly family: string;
      readonly user: string;
      readonly granted: readonly string[];
      readonly denied: readonly string[];
    }
  | { readonly does: 'family restore'; readonly family: string }
  | { readonly does: 'user reinstate'; readonly user: string }
  | { readonly does: 'user resend-verification'; readonly user: string }
  | { readonly does: 'user link-accounts'; readonly user: string; readonly duplicate: string }
  | { readonly does: 'invitation resend'; readonly family: string; readonly invitation: string }
  | { readonly does: 'invitation revoke'; readonly family: string; readonly invitation: string }
  | {
      readonly does: 'invitation create';
      readonly family: string;
      readonly email: string;
      readonly role: Role;
    };

export const ROLES = ['institutional', 'professional', 'extended_family', 'family_core'] as const;
export type Role = (typeof ROLES)[number];

/** The command that does the same, to be completed with reason and ticket. */
export function commandOf(step: Step): string {
  const quoted = wordsOf(step).map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`,
  );
  return `nestctl ${quoted.join(' ')} --reason '…' --ticket …`;
}

function wordsOf(step: Step): string[] {
  const verb = step.does.split(' ');
  switch (step.does) {
    case 'member extend':
      return [...verb, ...memberOf(step), '--until', `${step.days}d`];
    case 'member reinstate':
      return [...verb, ...memberOf(step)];
    case 'member add':
      return [...verb, ...memberOf(step), '--role', step.role];
    case 'member set-permissions':
      return [
        ...verb,
        ...memberOf(step),
        ...(step.granted.length === 0 ? [] : ['--grant', step.granted.join(',')]),
        ...(step.denied.length === 0 ? [] : ['--deny', step.denied.join(',')]),
      ];
    case 'family restore':
      return [...verb, step.family];
    case 'user reinstate':
    case 'user resend-verification':
      return [...verb, step.user];
    case 'user link-accounts':
      return [...verb, '--keep', step.user, '--duplicate', step.duplicate];
    case 'invitation resend':
    case 'invitation revoke':
      return [...verb, '--family', step.family, step.invitation];
    case 'invitation create':
      return [...verb, '--family', step.family, '--email', step.email, '--role', step.role];
  }
}

function memberOf({ family, user }: { readonly family: string; readonly user: string }): string[] {
  return ['--family', family, '--user', user];
}
