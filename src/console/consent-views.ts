import { commandLine } from './command-line.js';
import { type Column, details, heading, type TableView, table, text, toned, type View } from './views.js';

export const CONSENT_TYPES = [
  'privacy_policy',
  'terms_of_service',
  'marketing',
  'analytics',
  'data_sharing',
  'child_data',
  'emergency_data',
  'cookies',
  'notifications',
] as const;
export const WITHDRAWAL_WAYS = ['e-mail', 'letter', 'telephone', 'in_person', 'application'] as const;

interface Resting {
  readonly table: string;
  readonly columns: readonly string[];
  readonly purposes: readonly string[];
  readonly retentions: readonly string[];
}

interface Consent {
  readonly type: string;
  readonly about: string;
  readonly status: string;
  readonly version: string | null;
  readonly granted_at: Date | null;
  readonly withdrawn_at: Date | null;
  readonly expires_at: Date | null;
  readonly method: string | null;
  readonly third_parties: readonly string[];
  readonly setting: boolean | null;
  readonly required: boolean;
  readonly follows: string;
  readonly law: string;
  readonly rests: readonly Resting[];
  readonly seen: string;
}

/** Whether the application goes by something else than the record says. */
const contradicts = ({ status, setting }: Consent) => setting !== null && setting !== (status === 'granted');

export const CONSENT_COLUMNS: readonly Column<Consent>[] = [
  { name: 'consent', value: ({ type }) => type },
  {
    name: 'status',
    value: ({ status }) => (status === 'granted' ? toned('good', status) : status),
    keep: true,
  },
  { name: 'version', value: ({ version }) => version },
  { name: 'granted', value: ({ granted_at }) => granted_at },
  { name: 'withdrawn', value: ({ withdrawn_at }) => withdrawn_at },
  { name: 'expires', value: ({ expires_at }) => expires_at, extra: true },
  { name: 'how', value: ({ method }) => method },
  {
    name: 'setting',
    value: (one) => {
      const shown = one.setting === null ? null : one.setting ? 'on' : 'off';
      return contradicts(one) ? toned('bad', `${shown}: not as recorded`) : shown;
    },
    raw: ({ setting }) => setting,
  },
  {
    name: 'rests on it',
    value: ({ rests }) => rests.map((one) => one.table).join(' ') || null,
    raw: ({ rests }) => rests,
    extra: true,
  },
];

/** A consent without the version by which a change is bound to it. */
export function consentResult({ seen, ...consent }: Consent): Omit<Consent, 'seen'> {
  return consent;
}

/** What follows from withdrawing a consent, and what rests on it. */
export function withdrawalViews(consent: Consent): View[] {
  return [
    details({
      consent: `${consent.type}: ${consent.about}`,
      status: consent.status,
      version: consent.version ?? undefined,
      granted: consent.granted_at ?? undefined,
      'given to': consent.third_parties.join(', ') || undefined,
      follows: toned(consent.required ? 'warn' : 'strong', consent.follows),
      law: consent.law,
    }),
    ...(contradicts(consent)
      ? [
          text(`The application goes by "${consent.setting ? 'on' : 'off'}", which is not as recorded.`, {
            mark: 'bad',
          }),
        ]
      : []),
    heading('Rests on it'),
    restingTable(consent.rests),
  ];
}

function restingTable(rests: readonly Resting[]): TableView {
  return table(
    rests,
    [
      { name: 'table', value: (one) => one.table, keep: true },
      { name: 'for', value: ({ purposes }) => purposes.join(' ') },
      { name: 'kept', value: ({ retentions }) => retentions.join(' ') },
      { name: 'columns', value: ({ columns }) => columns.join(' ') },
    ],
    'No column is kept for it alone.',
  );
}

interface Turn {
  readonly at: Date | null;
  readonly type: string;
  readonly status: string;
  readonly version: string | null;
  readonly method: string | null;
  readonly by: string | null;
  readonly duty: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly event: string | null;
}

export const TURN_COLUMNS: readonly Column<Turn>[] = [
  { name: 'time', value: ({ at }) => at },
  { name: 'consent', value: ({ type }) => type, keep: true },
  { name: 'status', value: ({ status }) => status, keep: true },
  { name: 'version', value: ({ version }) => version },
  { name: 'how', value: ({ method }) => method },
  { name: 'by', value: ({ by }) => by ?? toned('muted', 'the log does not say'), raw: ({ by }) => by },
  { name: 'duty', value: ({ duty }) => duty },
  { name: 'ticket', value: ({ ticket }) => ticket },
  { name: 'reason', value: ({ reason }) => reason },
  { name: 'event', value: ({ event }) => event, extra: true },
];

export const afterWithdrawal = (person: string) => commandLine(['consent', 'history', person]);
