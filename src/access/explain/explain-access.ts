import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { ensureAccess } from '../ensure-access.js';
import type { AccessWish } from '../open-access.js';
import { askWhy } from './ask-why.js';
import { type Answers, answersTo, buildSteps } from './build-steps.js';
import { countRows, verdictOf } from './count-rows.js';
import { decide, type Explanation, missingFacts, notesOn, tableName } from './explanation.js';
import { coverPerson, findPerson } from './find-person.js';
import type { MembershipFacts } from './membership.js';
import { mendsFor } from './mend.js';
import { conditionParser } from './parse-condition.js';
import { type AskedCommand, checkAsked, prepareQuestion, type Question } from './question.js';
import { type RowKey, rowKey } from './row-key.js';
import { readTableFacts } from './table-facts.js';
import { tryCommand, withTrial } from './try-command.js';

/** The role that members of families have. */
const MEMBERS = 'authenticated';

export interface ExplainWish extends AskedCommand {
  /** The person: an id or a whole e-mail address. */
  readonly user: string;
  /** The family of the complaint, where a grant for the person does not reach the row. */
  readonly family?: string | undefined;
  readonly table: string;
  /** See `rowKey`; absent for what holds of the table alone. */
  readonly row?: string | undefined;
  /** Also run it as the person and undo it, under an impersonation grant. */
  readonly try?: boolean | undefined;
}

interface Reply {
  readonly row: boolean | null;
  readonly old: readonly string[];
  readonly new: readonly string[];
  readonly facts: MembershipFacts;
}

/**
 * Why a member may or may not do something, as the database decides it at this moment. The question is on record
 * before it is answered; the answer holds the truth of conditions and the facts of the membership, no value of the
 * row. Needs live grants that cover the person and what the row belongs to, and opens them where the purpose has
 * reason and ticket. Throws `not_found` for a row that is not in what they cover, `no_grant`.
 */
export async function explainAccess(
  session: Session,
  wish: ExplainWish,
  purpose: AccessWish,
): Promise<Explanation> {
  const person = await findPerson(session, wish.user, purpose);
  await coverPerson(session, person, wish.family, purpose);
  const { question, key, id } = await record(session, wish, person);
  const { reply, now } = await session.transaction(
    async () => {
      const values = wish.values === undefined ? null : JSON.stringify(wish.values);
      return await session.one<{ reply: Reply; now: Date }>(sql`
        select ops.explain(${id}, ${question.tests.old}, ${question.tests.new}, ${question.permissions}, ${values}::jsonb) as reply,
          clock_timestamp() as now`);
    },
    { readOnly: true },
  );
  if (key !== undefined && reply.row === false) throw rowMissing(wish);
  const answers: Answers = {
    old: answersTo(question.tests.old, reply.old),
    new: answersTo(question.tests.new, reply.new),
    membership: reply.facts,
  };
  const { verdict, steps, changes } = decide(buildSteps(question, answers));
  const { membership = null, family = null } = reply.facts;
  const counts =
    key === undefined && wish.command !== 'insert'
      ? await countRows(session, id, question, { person, family: wish.family })
      : [];
  const explanation: Explanation = {
    verdict: verdict === 'unknown' ? (verdictOf(counts) ?? verdict) : verdict,
    command: wish.command,
    table: tableName(question.facts),
    role: MEMBERS,
    person,
    row: key ?? null,
    at: null,
    counts,
    decided_by: 'evaluation',
    membership,
    family: family === null ? null : { id: family.id, name: family.name },
    steps,
    missing: missingFacts(changes),
    mend: mendsFor(changes, {
      user: wish.user,
      person,
      facts: reply.facts,
      now,
      permissions: question.permissions,
    }),
    notes: notesOn(question),
  };
  if (wish.try !== true) return explanation;
  await ensureAccess(session, { kind: 'impersonation', id: person }, purpose);
  return withTrial(explanation, await tryCommand(session, person, question, key));
}

/** Reads the policies and puts the question on record, in a transaction of its own. */
async function record(
  session: Session,
  wish: ExplainWish,
  person: string,
): Promise<{ question: Question; key: RowKey | undefined; id: string }> {
  return await session.transaction(async () => {
    const facts = await readTableFacts(session, wish.table, MEMBERS);
    checkAsked(facts, wish, wish.row !== undefined);
    const key = wish.row === undefined ? undefined : rowKey(wish.row, facts.key, wish.table);
    const question = await prepareQuestion(facts, wish, conditionParser);
    return { question, key, id: await askWhy(session, facts, { person, key, command: wish.command }) };
  });
}

function rowMissing({ row, table }: ExplainWish): NestctlError {
  return new NestctlError(`There is no row ${row} of ${table} in what your access grants cover.`, {
    kind: 'not_found',
    code: 'row_missing',
    hint: 'It was deleted, or it belongs to somebody else: name the family of the complaint with --family.',
  });
}
