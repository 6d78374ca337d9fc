import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import type { DiagnosisFacts } from './facts.js';

export interface DiagnosisQuestion {
  readonly person: string;
  readonly family: string | undefined;
  readonly permissions: readonly string[];
  readonly child: string | undefined;
}

/** Puts the question on record, and reads the answer in a transaction of its own. Throws `no_grant`. */
export async function askDiagnosis(session: Session, question: DiagnosisQuestion): Promise<DiagnosisFacts> {
  const { person, family = null, permissions, child = null } = question;
  const { id } = await session.one<{ id: string }>(
    sql`select ops.ask_diagnosis(${person}, ${family}, ${permissions}, ${child}) as id`,
  );
  const { facts } = await session.transaction(
    () => session.one<{ facts: DiagnosisFacts }>(sql`select ops.diagnose(${id}) as facts`),
    { readOnly: true },
  );
  return facts;
}
