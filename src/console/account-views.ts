import type { Change } from './change.js';
import { commandLine } from './command-line.js';
import { details, text } from './views.js';

type AccountVerb = 'suspend' | 'reinstate' | 'resend-verification';

interface Account {
  readonly id: string;
  readonly email: string;
  readonly status: string;
  readonly families: readonly object[];
  readonly seen: string;
}

const DONE: Record<AccountVerb, string> = {
  suspend: 'is suspended: they can sign in nowhere and see nothing.',
  reinstate: 'is reinstated.',
  'resend-verification': 'gets another verification mail as soon as the application sends it.',
};
const BACK: Partial<Record<AccountVerb, AccountVerb>> = { suspend: 'reinstate', reinstate: 'suspend' };

/** How every change of an account is shown, asked for and reported. */
export const accountChange: Pick<
  Change<{ readonly before: Account; readonly verb: AccountVerb }, Account>,
  'show' | 'question' | 'done'
> = {
  show: ({ before }) =>
    details({
      account: before.email,
      id: before.id,
      status: before.status,
      families: before.families.length,
    }),
  question: ({ before, verb }) => `${verb.replace('-', ' ')} ${before.email}?`,
  done: ({ seen, ...account }, { verb }) => {
    const back = BACK[verb];
    const wayBack = back === undefined ? null : commandLine(['user', back, account.id]);
    return {
      result: { account, way_back: wayBack },
      view: [
        text(`${account.email} ${DONE[verb]}`, { mark: 'good' }),
        ...(wayBack === null ? [] : [details({ 'way back': wayBack })]),
      ],
      next: commandLine(['user', 'show', account.id]),
    };
  },
};
