import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';

export type ConsentType =
  | 'privacy_policy'
  | 'terms_of_service'
  | 'marketing'
  | 'analytics'
  | 'data_sharing'
  | 'child_data'
  | 'emergency_data'
  | 'cookies'
  | 'notifications';

/** What the columns of one table answer that rest on a consent. */
export interface RestingTable {
  readonly table: string;
  readonly columns: readonly string[];
  readonly purposes: readonly string[];
  readonly retentions: readonly string[];
}

/** How one kind of consent of a person stands. */
export interface Consent {
  readonly type: ConsentType;
  readonly about: string;
  /** By the newest record of the kind; `none` where there is none. */
  readonly status: 'granted' | 'denied' | 'withdrawn' | 'expired' | 'none';
  readonly version: string | null;
  readonly granted_at: Date | null;
  readonly withdrawn_at: Date | null;
  readonly expires_at: Date | null;
  readonly method: string | null;
  readonly third_parties: readonly string[];
  /** What the application goes by, where it keeps a setting beside the record. */
  readonly setting: boolean | null;
  /** Without it the application shows the person nothing. */
  readonly required: boolean;
  /** What follows from its withdrawal, as the person is to be told, and the law. */
  readonly follows: string;
  readonly law: string;
  readonly rests: readonly RestingTable[];
  /** The version of all that a withdrawal would change. */
  readonly seen: string;
}

/**
 * Every kind of consent of a person, with what rests on it by the data map. Needs the duty compliance and a grant for the
 * person: others are refused with `no_grant` or `duty_not_allowed`. Throws `not_found`.
 */
export async function showConsents(session: Session, person: string): Promise<Consent[]> {
  const consents = await session.query<Consent>(sql`
    select c.consent_type as type, t.about, c.status, c.consent_version as version, c.granted_at, c.withdrawn_at, c.expires_at,
      c.consent_method as method, coalesce(c.third_parties, '{}') as third_parties, c.setting, t.required, t.follows, t.law, c.seen,
      coalesce((
        select jsonb_agg(jsonb_build_object('table', r.table_name, 'columns', r.columns, 'purposes', r.purposes, 'retentions', r.retentions) order by r.table_name)
        from (
          select a.table_name, array_agg(a.column_name order by a.column_name) as columns, array_agg(distinct a.purpose) as purposes,
            array_agg(distinct a.retention) as retentions
          from privacy.consent_purposes p join privacy.column_answers a using (purpose)
          where p.consent_type = c.consent_type and a.whose <> 'operational'
          group by a.table_name) r), '[]') as rests
    from privacy.consents_of(${person}) c join privacy.consent_types t using (consent_type)
    order by t.required desc, c.consent_type`);
  if (consents.length > 0) return consents;
  throw new NestctlError(`There is no person ${person}.`, {
    kind: 'not_found',
    next: 'nestctl family list --email …',
  });
}
