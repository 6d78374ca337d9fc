import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';

export interface NewFamily {
  readonly name: string;
  readonly family_type: string;
  readonly timezone: string;
  readonly province: string | null;
  /** The account of its first family_core member, for whom the session has a grant. */
  readonly core_user: string;
}

/** Makes a family with its first family_core member; returns its id. Throws `conflict` where that account is not active. */
export async function createFamily(session: Session, family: NewFamily): Promise<{ readonly id: string }> {
  const { name, family_type, timezone, province, core_user } = family;
  return await session.one<{ id: string }>(
    sql`select ops.create_family(${name}, ${family_type}, ${timezone}, ${province}, ${core_user}) as id`,
  );
}
