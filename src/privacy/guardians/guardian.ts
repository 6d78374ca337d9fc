import sql, { type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { GuardianWhy } from './may-act-for.js';

export type GuardianBasis =
  | 'parent'
  | 'adoption'
  | 'parenting_order'
  | 'guardianship'
  | 'tutorship'
  | 'agency';

export type CourtLimit =
  | 'no_information'
  | 'no_contact'
  | 'no_authority'
  | 'no_decisions'
  | 'joint_decisions'
  | 'supervised';

/** Kinds of documents; their numbers are never kept. */
export type GuardianEvidence =
  | 'act_of_birth'
  | 'adoption_judgment'
  | 'court_order'
  | 'will'
  | 'notarial_act'
  | 'agency_mandate';

export type EndGround =
  | 'court_order'
  | 'deprivation'
  | 'death'
  | 'replaced'
  | 'resigned'
  | 'entered_in_error';

/** A child, as its family keeps it. */
export interface ChildKey {
  readonly family: string;
  readonly id: string;
}

/** Who stands for a child, as privacy.guardians has it. Days are YYYY-MM-DD. */
export interface Guardian {
  readonly family_id: string;
  readonly id: string;
  readonly child_id: string;
  /** Null for somebody without an account, whose name is then given. */
  readonly user_id: string | null;
  readonly guardian_name: string | null;
  /** Of the account, where a grant opens it. */
  readonly email: string | null;
  readonly basis: GuardianBasis;
  readonly limits: readonly CourtLimit[];
  readonly evidence: readonly GuardianEvidence[];
  readonly from_date: string;
  /** The last day of its term; null where no order names one. */
  readonly until_date: string | null;
  /** The first day on which it no longer held. */
  readonly ended_on: string | null;
  readonly end_ground: EndGround | null;
  readonly ended_by: string | null;
  readonly ended_at: Date | null;
  readonly added_by: string;
  readonly added_at: Date;
  /** Whether it lets the person act today, and why or why not. */
  readonly may_act: boolean;
  readonly why: GuardianWhy;
  /** The row's version: a change is made to this one and no other. */
  readonly seen: string;
}

/** Whoever is recorded for a child, or for any child of a family, ended ones too. Needs a grant for the family. */
export async function listGuardians(
  session: Session,
  family: string,
  child?: string | undefined,
): Promise<Guardian[]> {
  return await session.query<Guardian>(
    guardians(
      sql`g.family_id = ${family} and (${child ?? null}::uuid is null or g.child_id = ${child ?? null})`,
    ),
  );
}

/** One record. Throws `not_found`, also where no grant opens the family. */
export async function findGuardian(session: Session, family: string, id: string): Promise<Guardian> {
  const [guardian] = await session.query<Guardian>(guardians(sql`g.family_id = ${family} and g.id = ${id}`));
  if (guardian !== undefined) return guardian;
  throw new NestctlError(`Family ${family} has no guardian on record as ${id}.`, {
    kind: 'not_found',
    next: `nestctl guardian list --family ${family}`,
  });
}

function guardians(condition: Sql): Sql {
  return sql`
    select g.family_id, g.id, g.child_id, g.user_id, g.guardian_name, u.email, g.basis, g.limits, g.evidence, g.from_date, g.until_date,
      g.ended_on, g.end_ground, g.ended_by, g.ended_at, g.added_by, g.added_at,
      m.allowed and m.guardian = g.id as may_act,
      case when m.guardian = g.id then m.why when g.end_ground = 'entered_in_error' then 'no_guardian' else 'over' end as why,
      g.xmin::text as seen
    from privacy.guardians g
      left join public.users u on u.id = g.user_id
      cross join lateral privacy.may_act_for(g.family_id, g.child_id, g.user_id, g.guardian_name) m
    where ${condition}
    order by g.child_id, g.ended_at is not null, g.from_date, g.id`;
}
