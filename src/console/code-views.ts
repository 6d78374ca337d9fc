import type { Change } from './change.js';
import { commandLine } from './command-line.js';
import { details, text } from './views.js';

interface CodePlan {
  readonly request: {
    readonly number: string;
    readonly kind: string;
    readonly requester: string;
    readonly language: string;
  };
  readonly goes_to: 'account' | 'address';
  readonly account: string | null;
  readonly seconds: number;
  readonly replaces: string | null;
  readonly replaces_issued_at: Date | null;
  readonly through: string;
}

interface SentCode {
  readonly code: string;
  readonly request: string;
  readonly expires_at: Date;
  readonly sent_to: string;
}

/** How the sending of a code is shown, asked for and reported; the code itself is in none of it. */
export const codeSending: Pick<Change<CodePlan, SentCode>, 'show' | 'question' | 'done'> = {
  show: ({ request, goes_to, account, seconds, replaces_issued_at: before, through }) =>
    details({
      request: `${request.number}: ${request.kind.replaceAll('_', ' ')}`,
      'asked by': request.requester,
      'goes to':
        goes_to === 'account'
          ? `the address of record of account ${account}`
          : 'the address that the request is about',
      language: request.language,
      through,
      'good for': `${Math.round(seconds / 60)} min`,
      replaces: before === null ? undefined : before,
    }),
  question: ({ request, replaces_issued_at: before }) =>
    `Send a code for ${request.number}${before === null ? '' : ', and make the one sent before void'}?`,
  done: (sent) => ({
    result: sent,
    view: [
      text(`${sent.request}: the mail server has taken the letter.`, { mark: 'good' }),
      details({ 'sent to': sent.sent_to, 'good until': sent.expires_at, 'message id': `${sent.code}@…` }),
    ],
    next: commandLine(['request', 'verify-identity', sent.request, '--method', 'email_code']),
  }),
};
