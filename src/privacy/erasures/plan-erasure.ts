import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { requireMap } from '../export/package-tables.js';
import { type DataRequest, readRequest, refusal } from '../requests/request.js';

/** A family that the person is or was in. decide: before anything is erased. */
export interface FamilyFate {
  readonly family_id: string;
  readonly role: string;
  readonly status: string;
  readonly fate: 'goes' | 'stays' | 'decide';
  readonly why: 'alone' | 'another_guardian' | 'left' | 'last_core' | 'others';
  /** Others in it. */
  readonly members: number;
  readonly children: number;
}

/** What is done to rows of a table. */
export interface ErasureStep {
  readonly table: string;
  /**
   * own: the person's; gone: of families that go with them; named, spelled: somebody else's that name the person, by id or
   * in words; entered: by the person, among what stays; household: others' of families that stay.
   */
  readonly rows_of: 'own' | 'gone' | 'named' | 'spelled' | 'entered' | 'household';
  /** Absent where the table could not be read. sever: the column names nobody any more. */
  readonly does?: 'delete' | 'anonymize' | 'sever' | 'keep' | 'stay';
  readonly rows?: number;
  readonly columns?: readonly string[];
  /** Under which something of them is kept, by their names in the data map. */
  readonly obligations?: readonly string[];
  readonly unread?: string;
}

/** What stands against it now. */
export interface ErasureGate {
  readonly gate: 'request' | 'identity' | 'hold' | 'family' | 'unread';
  readonly why: string;
  readonly next: string;
}

export interface ErasurePlan {
  readonly request: string;
  readonly person: string;
  readonly families: readonly FamilyFate[];
  readonly steps: readonly ErasureStep[];
  /** Who else has data of theirs from us, and of which columns. */
  readonly outside: readonly {
    readonly recipient: string;
    readonly about: string;
    readonly columns: readonly string[];
  }[];
  readonly gates: readonly ErasureGate[];
  /** SHA-256, hex, of the catalogue and the data map that it was made from. */
  readonly catalogue: string;
  /** SHA-256, hex, of all that but the gates, the rows that stay and the records of staff's own work. */
  readonly hash: string;
}

/**
 * The request by its number, where erasing an account would answer it. Throws `not_found`, and `not_erasable` where it
 * asks for something else or is about nobody with an account.
 */
export async function erasableRequest(
  session: Session,
  number: string,
): Promise<DataRequest & { readonly user_id: string }> {
  const request = await readRequest(session, number);
  const { kind, user_id } = request;
  const why =
    kind !== 'deletion' && kind !== 'consent_withdrawal'
      ? `asks for ${kind.replaceAll('_', ' ')}, which no erasure answers`
      : 'is about nobody with an account';
  if ((kind === 'deletion' || kind === 'consent_withdrawal') && user_id !== null)
    return { ...request, user_id };
  throw refusal('not_erasable', `Request ${number} ${why}.`, `nestctl request show ${number}`);
}

/**
 * What erasing the subject of a request would do, in one snapshot. Needs a grant for the account. Throws `no_grant`,
 * `map_incomplete` where a table or column does not answer, and what `erasableRequest` does.
 */
export async function planErasure(session: Session, number: string): Promise<ErasurePlan> {
  await requireMap(session);
  const { plan } = await session.transaction(
    () => session.one<{ plan: ErasurePlan }>(sql`select privacy.plan_erasure(${number}) as plan`),
    { isolation: 'repeatable read', readOnly: true },
  );
  // A table that could not be read may hold anything of theirs.
  const unread = plan.steps.flatMap(({ table, unread: why }) =>
    why === undefined ? [] : [{ gate: 'unread' as const, why: `${table}: ${why}`, next: 'nestctl doctor' }],
  );
  return { ...plan, gates: [...plan.gates, ...unread] };
}
