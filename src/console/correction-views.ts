import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import { details, heading, table, text, toned, type View } from './views.js';

/** Something corrected, as the console shows it. */
export interface ShownCorrection {
  readonly table: string;
  readonly row: string;
  readonly column: string;
  readonly outcome: string;
  readonly note: string | null;
  readonly recipients: readonly string[];
  readonly made_at: Date;
  readonly made_by: string;
}

/** Who has something corrected from us, and whether they were told. */
export interface ShownNotice {
  readonly recipient: string;
  readonly told_on: string | null;
  readonly why_not: string | null;
}

interface About {
  readonly request: { readonly number: string };
}

/** What would be amended or noted. */
export function correctionViews(
  plan: About &
    Pick<ShownCorrection, 'table' | 'row' | 'column' | 'outcome' | 'note' | 'recipients'> & {
      readonly was: string | null;
      readonly becomes: string | null;
    },
): View {
  const amended = plan.outcome === 'amended';
  return details({
    request: plan.request.number,
    row: `${plan.table} ${plan.row}`,
    column: plan.column,
    [amended ? 'was' : 'stays']: plan.was,
    becomes: amended ? (plan.becomes ?? 'nothing') : undefined,
    [amended ? 'note' : 'they say']: plan.note ?? undefined,
    'to be told': plan.recipients.length === 0 ? 'nobody else has it from us' : plan.recipients.join(', '),
  });
}

export function correctionRecorded(correction: ShownCorrection, { request }: About): Outcome {
  const [first] = correction.recipients;
  const what = correction.outcome === 'amended' ? 'is amended' : 'stays, with what they say against it';
  return {
    result: { number: request.number, correction },
    view: text(`${correction.table}.${correction.column} ${what}.`, { mark: 'good' }),
    next: commandLine(
      first === undefined
        ? ['request', 'fulfil', request.number]
        : ['request', 'notify', request.number, '--recipient', first],
    ),
  };
}

export function noticeViews({ request, recipient, told_on, why_not }: About & ShownNotice): View {
  return details({
    request: request.number,
    recipient,
    'told on': told_on ?? undefined,
    'not told because': why_not ?? undefined,
  });
}

export function noticeRecorded(notices: readonly ShownNotice[], { request }: About): Outcome {
  const waiting = notices.find(({ told_on, why_not }) => told_on === null && why_not === null);
  return {
    result: { number: request.number, notices },
    view: noticeTable(notices),
    next: commandLine(
      waiting === undefined
        ? ['request', 'fulfil', request.number]
        : ['request', 'notify', request.number, '--recipient', waiting.recipient],
    ),
  };
}

/** What was corrected, and who was told; nothing where nothing was. */
export function correctionTables(
  corrections: readonly ShownCorrection[],
  notices: readonly ShownNotice[],
): View[] {
  if (corrections.length === 0) return [];
  return [
    heading('What was corrected'),
    table(
      corrections,
      [
        { name: 'when', value: ({ made_at }) => made_at },
        { name: 'what', value: ({ table: name, column }) => `${name}.${column}`, keep: true },
        { name: 'row', value: ({ row }) => row },
        { name: 'outcome', value: ({ outcome }) => outcome, keep: true },
        { name: 'note', value: ({ note }) => note },
        { name: 'by', value: ({ made_by }) => made_by },
      ],
      '',
    ),
    ...(notices.length === 0 ? [] : [heading('Who has it from us'), noticeTable(notices)]),
  ];
}

function noticeTable(notices: readonly ShownNotice[]): View {
  return table(
    notices,
    [
      { name: 'recipient', value: ({ recipient }) => recipient, keep: true },
      {
        name: 'told',
        value: ({ told_on, why_not }) =>
          told_on ?? (why_not === null ? toned('warn', 'not yet') : 'not told'),
        keep: true,
      },
      { name: 'because', value: ({ why_not }) => why_not },
    ],
    '',
  );
}
