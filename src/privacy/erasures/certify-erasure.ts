import { isDeepStrictEqual } from 'node:util';
import sql from 'sql-template-tag';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import { readErasure } from './erasure.js';
import { signOnce } from './sign-once.js';

export const CERTIFICATE_RECORD = 'erasure-certificate';

/** What a certificate says: no personal data but the number of the request. Times RFC 3339, UTC. */
export interface CertificateFacts {
  readonly erasure: string;
  readonly request: string;
  readonly ground: string;
  readonly approval: string;
  readonly plan: string;
  readonly catalogue: string;
  readonly scheduled_at: string;
  readonly begun_at: string;
  readonly erased_at: string;
  /** When it was looked for what is left, and nothing was. */
  readonly proven_at: string;
  readonly families: number;
  readonly steps: readonly {
    readonly table: string;
    readonly rows_of: string;
    readonly does: string;
    readonly columns: readonly string[];
    readonly rows: number;
  }[];
  readonly kept: readonly {
    readonly table: string;
    readonly rows_of: string;
    readonly rows: number;
    readonly obligations: readonly string[];
    /** The day by which the last of it goes, YYYY-MM-DD; null: with the system. */
    readonly until: string | null;
  }[];
  readonly obligations: readonly {
    readonly obligation: string;
    readonly about: string;
    readonly law: string;
  }[];
  /** How many places were found in which state when it was looked for what is left. */
  readonly found: Readonly<Record<string, number>>;
  readonly archives: { readonly reached: number; readonly waiting: number };
  readonly outside: readonly {
    readonly recipient: string;
    readonly about: string;
    readonly outcome: string | null;
    readonly settled_at: string | null;
  }[];
  /** The day by which the last backup expires that still holds the data; null: unknown. */
  readonly backups_until: string | null;
}

export interface Certificate {
  readonly facts: CertificateFacts;
  /** The signed record, chain/number. */
  readonly evidence: string;
  readonly made_at: Date;
  readonly kid: string | null;
}

/** What a certificate would say now. Throws `not_found`, and `conflict` where the erasure is not proven. */
export async function planCertificate(session: Session, number: string): Promise<CertificateFacts> {
  await readErasure(session, number);
  const { facts } = await session.one<{ facts: CertificateFacts }>(
    sql`select privacy.certificate_facts(${number}) as facts`,
  );
  return facts;
}

/**
 * Signs a certificate and keeps it, in the evidence of the context and in the database; one that says the same is taken.
 * Throws what `signOnce` does.
 */
export async function certifyErasure(
  session: Session,
  context: Context,
  facts: CertificateFacts,
): Promise<Certificate> {
  const { listed, envelope } = await signOnce(context, {
    ...{ type: CERTIFICATE_RECORD, request: facts.request, plan: facts.plan },
    isSaidBy: (content) => isDeepStrictEqual(content, facts),
    say: async () => facts,
  });
  await session.query(sql`select privacy.record_certificate(${facts.request}, ${envelope})`);
  return {
    ...{ facts, evidence: listed.id, kid: listed.kid },
    made_at: new Date(listed.record?.made_at ?? Number.NaN),
  };
}
