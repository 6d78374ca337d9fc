import type { Change } from './change.js';
import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import { type Cell, details, text, toned, type View } from './views.js';

/** A request as far as the console shows it. */
export interface ShownRequest {
  readonly number: string;
  readonly kind: string;
  readonly regime: string;
  readonly subject_kind: string;
  readonly user_id: string | null;
  readonly child_id: string | null;
  readonly contact_id: string | null;
  readonly email: string | null;
  readonly state: string;
  readonly state_reason: string | null;
  readonly due_on: string;
  readonly recourse_until: string | null;
  readonly seen: string;
}

interface Standing {
  readonly state: string;
  readonly state_reason: string | null;
  readonly due_on: string;
  readonly recourse_until: string | null;
}

interface StepPlan {
  readonly before: ShownRequest;
  readonly wish: { readonly verb: string };
  readonly after: Standing;
}

const DONE: Readonly<Record<string, string>> = {
  'verify-identity': 'the identity check is recorded',
  extend: 'the limit is extended',
  consult: 'the consultation is recorded',
  cost: 'the cost is recorded',
  fulfil: 'it is fulfilled',
  refuse: 'it is refused',
  withdraw: 'it is withdrawn',
};

/** How every step about a request is shown, asked for and reported. */
export const requestStep: Pick<Change<StepPlan, ShownRequest>, 'show' | 'question' | 'done'> = {
  show: ({ before, wish, after }) => [
    details({
      request: `${before.number}: ${before.kind.replaceAll('_', ' ')}`,
      subject: subjectText(before),
      state: moves(stateText(before), stateText(after)),
      'answer due': moves(before.due_on, after.due_on),
      'recourse until': moves(before.recourse_until ?? 'none', after.recourse_until ?? 'none'),
    }),
    details(particulars(wish)),
  ],
  question: ({ before, wish }) => `Record for ${before.number}: ${wish.verb.replaceAll('-', ' ')}?`,
  done: (request, { wish }) => ({
    result: { request: withoutSeen(request) },
    view: [
      text(`${request.number}: ${DONE[wish.verb]}.`, { mark: 'good' }),
      details({ state: stateCell(request), 'answer due': request.due_on }),
    ],
    next: commandLine(['request', 'show', request.number]),
  }),
};

/** The particulars of a wish, one a line, in the words of its flags. */
function particulars({ verb: _, ...wish }: { readonly verb: string }): Record<string, Cell> {
  return Object.fromEntries(
    Object.entries(wish as Record<string, Cell>).map(([name, value]) => [name.replaceAll('_', ' '), value]),
  );
}

/** A request as the stable interface shows it. */
export function withoutSeen<T extends { readonly seen: string }>({
  seen: _,
  ...request
}: T): Omit<T, 'seen'> {
  return request;
}

export function subjectText(request: ShownRequest): string {
  const id = request.user_id ?? request.child_id ?? request.contact_id ?? request.email ?? '(erased)';
  return `${request.subject_kind === 'user' ? 'account' : request.subject_kind} ${id}`;
}

const stateText = ({ state, state_reason }: Standing) =>
  state_reason === null ? state : `${state}: ${state_reason}`;

export function stateCell(request: Standing): Cell {
  const { state } = request;
  if (state === 'fulfilled') return toned('good', state);
  if (state === 'expired') return toned('bad', stateText(request));
  return state === 'revoked' || state === 'denied' ? toned('muted', stateText(request)) : stateText(request);
}

const moves = (was: string, is: string): Cell => (was === is ? was : toned('strong', `${was} → ${is}`));

/** Days until the limit: `12`, `today`, `3 late`. */
export function daysCell(days: number | null): Cell {
  if (days === null) return null;
  if (days < 0) return toned('bad', `${-days} late`);
  if (days === 0) return toned('bad', 'today');
  return days <= 5 ? toned('warn', days) : days;
}

interface Opening {
  readonly wish: Readonly<Record<string, unknown>>;
  readonly received_on: string;
  readonly due_on: string;
  readonly days_left: number;
  readonly extension_notice_due: string | null;
}

/** What would be opened. */
export function openingViews(opening: Opening): View[] {
  const { wish } = opening;
  const said = (name: string) => (wish[name] === undefined ? undefined : String(wish[name]));
  return [
    details({
      asks: `${said('kind')?.replaceAll('_', ' ')}: ${said('asks')}`,
      subject: `${said('subject_kind')} ${said('user_id') ?? said('child_id') ?? said('contact_id') ?? said('email')}`,
      'asked by': said('requester'),
      law: said('regime'),
      received: `${opening.received_on} (${said('zone')})`,
      language: said('language'),
      'answer due': opening.due_on,
      'days left': daysCell(opening.days_left),
      'extension told by': opening.extension_notice_due ?? 'this law knows none',
      'another of': said('duplicate_of'),
    }),
  ];
}

export function opened(request: ShownRequest): Outcome {
  return {
    result: { request: withoutSeen(request) },
    view: [
      text(`${request.number} is open.`, { mark: 'good' }),
      details({ state: stateCell(request), 'answer due': request.due_on }),
    ],
    next: commandLine(['request', 'verify-identity', request.number]),
  };
}
