import { details, heading, table, text, type View } from './views.js';

interface Written {
  readonly family: string;
  readonly file: string;
  readonly events: number;
  readonly size: number;
  readonly complete_until: string;
  readonly withheld: readonly string[];
  readonly leaf_only: number;
}

/** On what was written, where the format is that of the events. */
export function bundleLines({ family, file, events, size, ...more }: Written): string[] {
  const withheld = more.withheld.length === 0 ? '' : `, without ${more.withheld.join(', ')}`;
  const all = events === 0 ? 'no event' : `all ${events.toLocaleString('en-CA')} events`;
  return [
    `${all} of family ${family} among the first ${size.toLocaleString('en-CA')} of the log${withheld}`,
    ...(more.leaf_only === 0 ? [] : [`of ${more.leaf_only} of them only the leaf is kept`]),
    `complete until ${more.complete_until}, written to ${file}`,
  ];
}

/** A mistyped id must not pass for a family to which nothing happened. */
export function nothingOf({ family, events }: Pick<Written, 'family' | 'events'>): string | undefined {
  return events > 0
    ? undefined
    : `The log has nothing of family ${family}. So it is of any id that is no family's: look whether it is the right one.`;
}

interface Proven {
  readonly family: string;
  readonly events: number;
  readonly size: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly complete_until: string;
  readonly kid: string;
  readonly exported_at: string;
  readonly exported_by: string;
  readonly withheld: readonly string[];
  readonly erased: readonly { readonly request: string; readonly events: number }[];
  readonly leaf_only: number;
}

export function provenBundleView(bundle: Proven): View[] {
  const { family, events, size, from, to, kid, withheld, erased, leaf_only: leafOnly } = bundle;
  const nothing = nothingOf(bundle);
  return [
    details({
      family,
      events: `${events} among the first ${size} of the log`,
      from: from === null ? undefined : new Date(from),
      to: to === null ? undefined : new Date(to),
      'complete until': new Date(bundle.complete_until),
      'signed with': kid,
      exported: new Date(bundle.exported_at),
      by: bundle.exported_by,
      withheld: withheld.length === 0 ? undefined : withheld.join(', '),
    }),
    ...(erased.length === 0
      ? []
      : [
          heading('Lawfully erased, says who exported it'),
          table(
            erased,
            [
              { name: 'request', value: ({ request }) => request, keep: true },
              { name: 'events', value: ({ events: count }) => count, align: 'right' },
            ],
            'None.',
          ),
        ]),
    nothing !== undefined
      ? text(nothing, { mark: 'warn' })
      : leafOnly > 0
        ? text(`Nothing is missing, and of ${leafOnly} events only the leaf is there.`, { mark: 'unknown' })
        : text('Nothing is missing, and nothing was changed, added or put in another order.', {
            mark: 'good',
          }),
  ];
}

interface ProvenEvent {
  readonly facts: {
    readonly id: string;
    readonly operation: string;
    readonly table_name: string;
    readonly session_login: string;
    readonly duty: string | null;
    readonly request_id: string | null;
  };
  readonly index: number;
  readonly size: number;
  readonly made_at: string;
  readonly kid: string;
}

export function provenEventView({ facts, index, size, made_at: madeAt, kid }: ProvenEvent): View[] {
  return [
    details({
      event: facts.id,
      what: `${facts.operation} ${facts.table_name}`,
      by: facts.duty === null ? facts.session_login : `${facts.session_login} (${facts.duty})`,
      request: facts.request_id ?? undefined,
      leaf: `${index} of ${size}`,
      'signed head': new Date(madeAt),
      'signed with': kid,
    }),
    text('It is in the signed log, as it stands here.', { mark: 'good' }),
  ];
}
