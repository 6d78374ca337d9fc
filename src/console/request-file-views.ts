import { complaintTable, type ShownComplaint } from './complaint-views.js';
import { correctionTables, type ShownCorrection, type ShownNotice } from './correction-views.js';
import { daysCell, type ShownRequest, stateCell, subjectText } from './request-views.js';
import { details, heading, table, type View } from './views.js';

interface Asked extends ShownRequest {
  readonly requester: string;
  readonly requester_user: string | null;
  readonly requester_name: string | null;
  readonly requester_contact: string | null;
  readonly asks: string | null;
  readonly channel: string;
  readonly dated_on: string | null;
  readonly received_at: Date;
  readonly language: string;
  readonly duplicate_of: string | null;
  readonly identity_verified_at: Date | null;
  readonly cost_estimate: string | null;
  readonly cost_accepted_at: Date | null;
  readonly answered_at: Date | null;
}

interface Step {
  readonly number: number;
  readonly step: string;
  readonly at: Date;
  readonly by: string;
  readonly state: string;
  readonly state_reason: string | null;
  readonly particulars: Readonly<Record<string, string | number | boolean>>;
  readonly told: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
}

interface Code {
  readonly issued_at: Date;
  readonly expires_at: Date;
  readonly sending: string | null;
  readonly attempts_left: number;
}

interface Hold {
  readonly why: string;
  readonly until: string | null;
}

interface File {
  readonly request: Asked;
  readonly steps: readonly Step[];
  readonly clock: {
    readonly days_left: number | null;
    readonly lines: readonly { readonly day: string; readonly what: string; readonly law: string }[];
  };
  readonly corrections: readonly ShownCorrection[];
  readonly notices: readonly ShownNotice[];
  readonly complaints: readonly ShownComplaint[];
  readonly code: Code | null;
  readonly holds: readonly Hold[];
}

/** A request with all there is about it. */
export function fileViews({
  request,
  steps,
  clock,
  corrections,
  notices,
  complaints,
  code,
  holds,
}: File): View[] {
  const cost = request.cost_estimate;
  return [
    details({
      request: request.number,
      'asks for': request.kind.replaceAll('_', ' '),
      words: request.asks ?? '(erased)',
      subject: subjectText(request),
      'asked by': askedBy(request),
      law: request.regime,
      state: stateCell({ ...request }),
      'answer due': request.answered_at === null ? request.due_on : undefined,
      'days left': clock.days_left === null ? undefined : daysCell(clock.days_left),
      answered: request.answered_at ?? undefined,
      received: request.received_at,
      dated: request.dated_on ?? undefined,
      came: request.channel.replaceAll('_', ' '),
      language: request.language,
      identity:
        request.requester === 'organization'
          ? 'nobody asks'
          : (request.identity_verified_at ?? 'not verified'),
      'code by e-mail': code === null ? undefined : codeText(code),
      'it is good until': code?.expires_at,
      cost:
        cost === null
          ? undefined
          : `$${cost}${request.cost_accepted_at === null ? ', not accepted yet' : ''}`,
      'another of': request.duplicate_of ?? undefined,
      'kept because': holds.length === 0 ? 'nothing keeps what it asked for' : holds.map(holdText).join('; '),
    }),
    heading('How its days are counted'),
    table(
      clock.lines,
      [
        { name: 'day', value: ({ day }) => day },
        { name: 'what', value: ({ what }) => what, keep: true },
        { name: 'law', value: ({ law }) => law },
      ],
      '',
    ),
    heading('What was done'),
    table(
      steps,
      [
        { name: 'step', value: ({ number }) => number, align: 'right' },
        { name: 'when', value: ({ at }) => at, keep: true },
        { name: 'what', value: stepText, keep: true },
        { name: 'by', value: ({ by }) => by },
        { name: 'then', value: ({ state }) => state },
        { name: 'told', value: ({ told }) => told },
        { name: 'reason', value: ({ reason }) => reason },
        { name: 'ticket', value: ({ ticket }) => ticket },
      ],
      '',
    ),
    ...correctionTables(corrections, notices),
    ...(complaints.length === 0 ? [] : [heading('Complaints'), complaintTable(complaints)]),
  ];
}

const HOLDS: Readonly<Record<string, string>> = {
  request: 'it waits for its answer',
  recourse: 'its answer can be complained of',
  complaint: 'a complaint is open',
  complaint_recourse: 'a court can still be asked',
};

const holdText = ({ why, until }: Hold) => `${HOLDS[why] ?? why}${until === null ? '' : ` until ${until}`}`;

const SENDINGS: Readonly<Record<string, string>> = { sent: 'sent', unknown: 'it may have arrived, or not' };

const codeText = ({ sending, attempts_left: left }: Code) =>
  `${SENDINGS[sending ?? ''] ?? 'not known to be sent'}; ${left} of 3 attempts left`;

function askedBy({ requester, requester_user, requester_name, requester_contact }: Asked): string {
  return [requester, requester_name, requester_user, requester_contact]
    .filter((part) => part !== null)
    .join(', ');
}

function stepText({ step, state_reason, particulars }: Step): string {
  const { passed, recourse_told: _, ...rest } = particulars;
  const facts = [
    ...(passed === undefined ? [] : [passed ? 'passed' : 'failed']),
    ...(step === 'denied' && state_reason !== null ? [state_reason] : []),
    ...Object.entries(rest).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`),
  ];
  const what = step.replaceAll('_', ' ');
  return facts.length === 0 ? what : `${what}: ${facts.join(', ')}`;
}
