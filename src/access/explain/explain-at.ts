import sql from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import { ensureAccess } from '../ensure-access.js';
import type { AccessWish } from '../open-access.js';
import { askWhy } from './ask-why.js';
import { answersTo, buildSteps } from './build-steps.js';
import type { ExplainWish } from './explain-access.js';
import {
  type Decision,
  decide,
  type Explanation,
  missingFacts,
  tableName,
  type Verdict,
} from './explanation.js';
import { coverPerson, findPerson } from './find-person.js';
import type { MembershipFacts } from './membership.js';
import { conditionParser } from './parse-condition.js';
import { type CatalogueAt, driftBetween, factsThen, partsNow } from './past-catalogue.js';
import { checkAsked, prepareQuestion, type Question } from './question.js';
import { type RowKey, rowKey } from './row-key.js';
import { readTableFacts, type TableFacts } from './table-facts.js';

const MEMBERS = 'authenticated';
/** Transactions whose commit is in doubt of which every combination is tried; each doubles the work. */
const DOUBTS = 3;

interface PastReply {
  readonly row: boolean | null;
  readonly old: readonly string[];
  readonly new: readonly string[];
  readonly facts: MembershipFacts;
  /** Transactions that may not have committed yet. */
  readonly uncertain: readonly string[];
  /** What could not be found out. */
  readonly gaps: readonly string[];
}

interface Told {
  readonly reply: PastReply;
  readonly decision: Decision;
}

/**
 * Why a member could or could not do something at a past moment: policies and their functions from the snapshot of the
 * catalogue before it, users, families, memberships, permissions and the row from the audit log. Where the catalogue
 * changed unseen between two snapshots, or it cannot be told whether a change had been committed and that decides, the
 * verdict is unknown. Throws as `explainAccess` does; `not_found` also for a row that was not there then.
 */
export async function explainAt(
  session: Session,
  wish: ExplainWish & { readonly at: Date },
  purpose: AccessWish,
): Promise<Explanation> {
  const person = await findPerson(session, wish.user, purpose);
  await coverPerson(session, person, wish.family, purpose);
  const { facts, key, id } = await record(session, wish, person);
  const { around } = await session.one<{ around: CatalogueAt }>(
    sql`select ops.catalogue_at(${id}) as around`,
  );
  const common = {
    command: wish.command,
    table: tableName(facts),
    role: MEMBERS,
    person,
    row: key ?? null,
    at: wish.at,
    decided_by: 'evaluation' as const,
    counts: [],
    mend: [],
  };
  const { before } = around;
  if (before === null) {
    return {
      ...common,
      verdict: 'unknown',
      membership: null,
      family: null,
      steps: [],
      missing: [],
      notes: [
        'No snapshot of the catalogue is as old as that moment: which policies held then is not known.',
      ],
    };
  }
  const question = await prepareQuestion(factsThen(facts, before), wish, conditionParser);
  const drift = await driftAround(session, facts, around);
  let told = await tellAll(session, id, question, wish);
  const home = told.every(absent) ? await homeThen(session, facts, key, wish.at) : undefined;
  if (home !== undefined) {
    await ensureAccess(session, { kind: 'family', id: home }, purpose);
    told = await tellAll(session, id, question, wish);
  }
  const [first] = told;
  if (first === undefined) throw new Error('nothing was evaluated');
  if (told.every(absent)) throw rowMissing(wish);
  const verdicts = new Set(told.map((one) => (absent(one) ? 'absent' : one.decision.verdict)));
  const doubts = [
    ...(drift.length > 0
      ? [`Between two snapshots of the catalogue this changed, and when is not known: ${drift.join(', ')}.`]
      : []),
    ...(around.recovered ? ['A recovery began another epoch since: what it undid is not in this log.'] : []),
    ...first.reply.gaps.map((gap) => `Not known of that moment: ${gap}.`),
    ...(verdicts.size > 1 || first.reply.uncertain.length > DOUBTS
      ? [
          'A change was made just before, and whether it had been committed by that moment decides: PostgreSQL keeps no commit times here (track_commit_timestamp is off).',
        ]
      : []),
  ];
  const { reply, decision } = told.find((one) => !absent(one)) ?? first;
  const { membership = null, family = null } = reply.facts;
  const sure: Verdict = doubts.length > 0 ? 'unknown' : decision.verdict;
  return {
    ...common,
    verdict: sure,
    membership,
    family: family === null ? null : { id: family.id, name: family.name },
    steps: decision.steps,
    missing: sure === 'unknown' ? [] : missingFacts(decision.changes),
    notes: [
      ...doubts,
      ...(home === undefined
        ? []
        : [`The row was of family ${home} then; a move has taken it elsewhere since.`]),
      `Policies as in the snapshot of ${before.taken_at.slice(0, 16).replace('T', ' ')} UTC, the rest from the audit log.`,
    ],
  };
}

async function record(
  session: Session,
  wish: ExplainWish & { readonly at: Date },
  person: string,
): Promise<{ facts: TableFacts; key: RowKey | undefined; id: string }> {
  return await session.transaction(async () => {
    const facts = await readTableFacts(session, wish.table, MEMBERS);
    checkAsked(facts, wish, wish.row !== undefined);
    const key = wish.row === undefined ? undefined : rowKey(wish.row, facts.key, wish.table);
    return {
      facts,
      key,
      id: await askWhy(session, facts, { person, key, command: wish.command, at: wish.at }),
    };
  });
}

/** What changed between the snapshots around the moment; where there is none after it, since the one before. */
async function driftAround(
  session: Session,
  facts: TableFacts,
  { before, after }: CatalogueAt,
): Promise<string[]> {
  if (before === null) return [];
  if (after !== null) return driftBetween(before, after);
  const { catalogueSnapshot } = await import('../../platform/migrations/snapshot.js');
  return driftBetween(before, partsNow(await catalogueSnapshot(session), before, facts));
}

/** The answer, and where commits are in doubt the answers if they had not been made yet, in every combination. */
async function tellAll(session: Session, id: string, question: Question, wish: ExplainWish): Promise<Told[]> {
  const tell = async (notYet: readonly string[]): Promise<Told> => {
    const values = wish.values === undefined ? null : JSON.stringify(wish.values);
    const { reply } = await session.one<{ reply: PastReply }>(sql`
      select ops.explain_at(${id}, ${question.tests.old}, ${question.tests.new}, ${question.permissions}, ${values}::jsonb,
        ${notYet}::text[]::xid8[]) as reply`);
    const steps = buildSteps(question, {
      old: answersTo(question.tests.old, reply.old),
      new: answersTo(question.tests.new, reply.new),
      membership: reply.facts,
    });
    return { reply, decision: decide(steps) };
  };
  const first = await tell([]);
  const doubtful = first.reply.uncertain;
  if (doubtful.length === 0 || doubtful.length > DOUBTS) return [first];
  const told = [first];
  for (let chosen = 1; chosen < 2 ** doubtful.length; chosen++)
    told.push(await tell(doubtful.filter((_, at) => (chosen >> at) % 2 === 1)));
  return told;
}

const absent = ({ reply }: Told) => reply.row === false;

/** The family that a row belonged to then, as far as whoever may read one of its families is told. */
async function homeThen(
  session: Session,
  { schema, table, key: columns }: TableFacts,
  key: RowKey | undefined,
  at: Date,
): Promise<string | undefined> {
  if (key?.id === undefined || !columns.includes('family_id')) return undefined;
  const [home] = await session.query<{ family_id: string }>(sql`
    select family_id from ops.row_families(${`${schema}.${table}`}, ${key.id})
    where left_by is not null and ${at.toISOString()} >= since and ${at.toISOString()} < until`);
  return home?.family_id;
}

function rowMissing({ row, table, at }: ExplainWish & { readonly at: Date }): NestctlError {
  return new NestctlError(
    `There was no row ${row} of ${table} at ${at.toISOString()} in what your access grants cover.`,
    {
      kind: 'not_found',
      code: 'row_missing',
      hint: 'It was not there yet or no longer, or it belonged to another family: name that with --family.',
    },
  );
}
