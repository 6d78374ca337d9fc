import { type Column, details, heading, table, text, toned, type View } from './views.js';

interface Holder {
  readonly kind: string;
  readonly pid: number | null;
  readonly login: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly since: Date | null;
  readonly gid: string | null;
}

interface Status {
  readonly size: number;
  readonly watermark: string;
  readonly moved_at: Date;
  readonly unsealed: number;
  readonly oldest_unsealed: Date | null;
  readonly ready: number;
  readonly held_by: Holder | null;
  readonly last_checkpoint: {
    readonly size: number;
    readonly made_at: Date;
    readonly made_by: string;
  } | null;
}

export function sealStatusView(status: Status): View[] {
  const { size, unsealed, ready, held_by: held, last_checkpoint: last } = status;
  const waiting = unsealed - ready;
  return [
    details({
      sealed: `${size} events`,
      'last checkpoint': last === null ? toned('warn', 'none yet') : last.made_at,
      'signed by': last?.made_by,
      unsealed: `${unsealed} events, of which ${ready} can be sealed now`,
      'the oldest': status.oldest_unsealed ?? undefined,
      watermark: `transaction ${status.watermark}, since ${status.moved_at.toISOString()}`,
      'held back by': held === null ? undefined : holderText(held),
      since: held?.since ?? undefined,
    }),
    waiting > 0 && held !== null
      ? text(`${waiting} events wait until ${holderText(held)} ends.`, { mark: 'warn' })
      : text(
          ready > 0 ? `${ready} events can be sealed.` : 'Everything that can be sealed is sealed.',
          ready > 0 ? {} : { mark: 'good' },
        ),
  ];
}

function holderText({ kind, pid, login, application, state, gid }: Holder): string {
  if (kind === 'prepared transaction') return `the prepared transaction ${gid} of ${login}`;
  const what = [application, state].filter((part) => part !== null && part !== '').join(', ');
  return `the session ${pid} of ${login}${what === '' ? '' : ` (${what})`}`;
}

interface Fault {
  readonly kind: string;
  readonly event: string | null;
  readonly object: string | null;
  readonly detail: string;
}

const FAULT_COLUMNS: readonly Column<Fault>[] = [
  { name: 'kind', value: ({ kind }) => toned('bad', kind.replaceAll('_', ' ')), raw: ({ kind }) => kind },
  {
    name: 'where',
    value: ({ event, object }) => (event === null ? object : `event ${event}`),
    raw: ({ event, object }) => event ?? object,
    keep: true,
  },
  { name: 'what', value: ({ detail }) => detail },
];

interface Report {
  readonly verdict: string;
  readonly size: number;
  readonly events: number;
  readonly unsealed: number;
  readonly checkpoints: number;
  readonly last_checkpoint: string | null;
  readonly faults: readonly Fault[];
  readonly more_faults: number;
  readonly doubts: readonly { readonly object: string; readonly detail: string }[];
  readonly erased: readonly { readonly request: string; readonly events: number }[];
  readonly rewound: readonly {
    readonly epoch: number;
    readonly from: number;
    readonly to: number;
    readonly evidence: string | null;
  }[];
  readonly archived: readonly {
    readonly category: string;
    readonly month: string;
    readonly events: number;
    readonly looked_at: 'tree';
  }[];
  readonly pruned: readonly {
    readonly category: string;
    readonly month: string;
    readonly events: number;
    readonly pruned_at: Date | null;
  }[];
}

export function verifyView(report: Report): View[] {
  const { faults, doubts, erased, rewound, archived, pruned, more_faults: more } = report;
  const count = faults.length + more;
  return [
    details({
      events: report.events,
      sealed: report.size,
      unsealed: report.unsealed,
      checkpoints: report.checkpoints,
      'last checkpoint': report.last_checkpoint === null ? 'none' : new Date(report.last_checkpoint),
    }),
    ...(count === 0 ? [] : [heading('Tampered'), table(faults, FAULT_COLUMNS, 'Nothing.')]),
    ...(more > 0 ? [text(`${more} more are not named.`, { mark: 'bad' })] : []),
    ...(rewound.length === 0
      ? []
      : [
          heading('Rewound by recorded recoveries'),
          table(
            rewound,
            [
              { name: 'epoch', value: ({ epoch }) => epoch },
              { name: 'given up', value: ({ from, to }) => `leaves ${from} to ${to - 1}`, keep: true },
              { name: 'evidence', value: ({ evidence }) => evidence },
            ],
            'None.',
          ),
        ]),
    ...(erased.length === 0
      ? []
      : [
          heading('Lawfully erased'),
          table(
            erased,
            [
              { name: 'request', value: ({ request }) => request, keep: true },
              { name: 'events', value: ({ events }) => events, align: 'right' },
            ],
            'None.',
          ),
        ]),
    ...(archived.length === 0
      ? []
      : [
          heading('Archived'),
          table(
            archived,
            [
              { name: 'month', value: ({ category, month }) => `${category} ${month}`, keep: true },
              { name: 'events', value: ({ events }) => events, align: 'right' },
              {
                name: 'looked at',
                value: () => 'the leaves in the tree',
                raw: ({ looked_at }) => looked_at,
              },
            ],
            'None.',
          ),
        ]),
    ...(pruned.length === 0
      ? []
      : [
          heading('Pruned by retention'),
          table(
            pruned,
            [
              { name: 'month', value: ({ category, month }) => `${category} ${month}`, keep: true },
              { name: 'events', value: ({ events }) => events, align: 'right' },
              { name: 'on', value: ({ pruned_at }) => pruned_at },
            ],
            'None.',
          ),
        ]),
    ...doubts.map(({ object, detail }) => text(`${object}: ${detail}`, { mark: 'unknown' })),
    count > 0
      ? text(`${count} ${count === 1 ? 'fault' : 'faults'}: the audit log was tampered with.`, {
          mark: 'bad',
        })
      : text(VERDICTS[report.verdict] ?? report.verdict, { mark: doubts.length > 0 ? 'unknown' : 'good' }),
  ];
}

const VERDICTS: Readonly<Record<string, string>> = {
  intact: 'Every event is as it was written, and none is missing.',
  lawfully_erased:
    'Every event is as it was written, but for the parts that requests of erasure took; none is missing.',
  rewound: 'Every event is as it was written; what is missing was given up by recoveries that were recorded.',
};
