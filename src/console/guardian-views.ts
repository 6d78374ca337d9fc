import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import { type Column, type DetailsView, details, text, toned } from './views.js';

export const BASES = [
  'parent',
  'adoption',
  'parenting_order',
  'guardianship',
  'tutorship',
  'agency',
] as const;
export const LIMITS = [
  'no_information',
  'no_contact',
  'no_authority',
  'no_decisions',
  'joint_decisions',
  'supervised',
] as const;
export const EVIDENCE = [
  'act_of_birth',
  'adoption_judgment',
  'court_order',
  'will',
  'notarial_act',
  'agency_mandate',
] as const;
export const END_GROUNDS = [
  'court_order',
  'deprivation',
  'death',
  'replaced',
  'resigned',
  'entered_in_error',
] as const;

interface Guardian {
  readonly family_id: string;
  readonly id: string;
  readonly child_id: string;
  readonly user_id: string | null;
  readonly guardian_name: string | null;
  readonly email: string | null;
  readonly basis: string;
  readonly limits: readonly string[];
  readonly evidence: readonly string[];
  readonly from_date: string;
  readonly until_date: string | null;
  readonly ended_on: string | null;
  readonly end_ground: string | null;
  readonly ended_by: string | null;
  readonly added_by: string;
  readonly added_at: Date;
  readonly may_act: boolean;
  readonly why: string;
  readonly seen: string;
}

type Named = Pick<Guardian, 'user_id' | 'guardian_name' | 'email'>;

/** Who it is, as shortly as it can be said. */
export function guardianName({ email, guardian_name, user_id }: Named): string {
  return email ?? guardian_name ?? (user_id as string);
}

export const GUARDIAN_COLUMNS: readonly Column<Guardian>[] = [
  { name: 'person', value: guardianName },
  { name: 'basis', value: ({ basis }) => basis },
  {
    name: 'limits',
    value: ({ limits }) => (limits.length === 0 ? null : toned('warn', limits.join(' '))),
    raw: ({ limits }) => limits,
  },
  { name: 'evidence', value: ({ evidence }) => evidence.join(' '), raw: ({ evidence }) => evidence },
  { name: 'from', value: ({ from_date }) => from_date },
  { name: 'until', value: ({ until_date, ended_on }) => ended_on ?? until_date },
  {
    name: 'may act',
    value: ({ may_act, why }) => (may_act ? toned('good', 'yes') : toned('bad', `no: ${why}`)),
    raw: ({ may_act }) => may_act,
    keep: true,
  },
  { name: 'guardian', value: ({ id }) => id },
  { name: 'child', value: ({ child_id }) => child_id, extra: true },
  { name: 'user', value: ({ user_id }) => user_id, extra: true },
  { name: 'ended because', value: ({ end_ground }) => end_ground, extra: true },
  { name: 'ended by', value: ({ ended_by }) => ended_by, extra: true },
  { name: 'added by', value: ({ added_by }) => added_by, extra: true },
  { name: 'added', value: ({ added_at }) => added_at, extra: true },
];

/** A record, or what is to become one. */
export function guardianDetails(
  what: Named &
    Pick<Guardian, 'basis' | 'limits' | 'evidence'> & {
      readonly child: string;
      readonly from: string;
      readonly until: string | null;
    },
): DetailsView {
  return details({
    guardian: guardianName(what),
    child: what.child,
    basis: what.basis,
    limits: what.limits.join(' ') || 'none',
    'evidence seen': what.evidence.join(' '),
    from: what.from,
    until: what.until ?? 'no term',
  });
}

/** What was done about a record. */
export function guardianDone({ seen, ...guardian }: Guardian, line: string): Outcome {
  const { family_id, child_id, id } = guardian;
  return {
    result: { guardian },
    view: [
      text(line, { mark: 'good' }),
      details({
        record: id,
        'may act today': guardian.may_act ? 'yes' : `no: ${guardian.why}`,
      }),
    ],
    next: commandLine(['guardian', 'list', '--family', family_id, '--child', child_id]),
  };
}
