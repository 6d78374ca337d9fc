import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { AccessWish } from '../open-access.js';
import { type Answer, runAsPerson, runOne } from './act-as-person.js';
import { coverImpersonation, record, refuseFunctions } from './cover-impersonation.js';
import { parseStatement } from './parse-statement.js';

export interface ImpersonationWish {
  /** The person: an id or a whole e-mail address. */
  readonly user: string;
  readonly statement: string;
  /** Most rows to give back. */
  readonly limit: number;
}

export interface PersonsRows extends Pick<Answer, 'columns' | 'rows'> {
  readonly person: string;
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

/**
 * What a query gives to a person, as it would in the app: in a read-only transaction, under a live impersonation grant,
 * which is opened where the purpose has reason and ticket. The statement is on record before it runs. Throws `usage`
 * for what is no single query.
 */
export async function readAsPerson(
  session: Session,
  wish: ImpersonationWish,
  purpose: AccessWish,
): Promise<PersonsRows> {
  const statement = await parseStatement(wish.statement);
  if (statement.command !== 'select') {
    throw new NestctlError(
      `${statement.command.toUpperCase()} writes, and reading is all that was asked for.`,
      {
        kind: 'usage',
        code: 'would_write',
        hint: 'Add --write: it shows first how many rows it would touch, and asks.',
      },
    );
  }
  await refuseFunctions(session, statement);
  const person = await coverImpersonation(session, wish.user, purpose);
  await record(session, person, statement, false);
  const { columns, rows } = await session.transaction(
    async () => {
      await runAsPerson(session, person, `declare impersonated no scroll cursor for ${statement.text}`);
      return await runOne(session, `fetch ${wish.limit + 1} from impersonated`);
    },
    { readOnly: true },
  );
  return { person, columns, rows: rows.slice(0, wish.limit), more: rows.length > wish.limit };
}
