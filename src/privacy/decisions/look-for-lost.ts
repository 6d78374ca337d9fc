import sql from 'sql-template-tag';
import { type Ledger, listRecords, openEvidence, openLedger, shareChain } from '../../evidence/index.js';
import type { Context } from '../../platform/config/contexts.js';
import type { Session } from '../../platform/database/session.js';
import {
  DECISION_CHAIN,
  DECISION_PURPOSE,
  type DecisionKind,
  type DecisionState,
  type EnteredDecision,
  isOf,
  spelledRow,
} from './decision.js';
import { unknownRecords } from './decision-records.js';

/** A decision that a restore has lost: its row says more than it left of it. */
export interface LostDecision {
  readonly kind: DecisionKind;
  /** Of its row; of a hold, its number. */
  readonly key: readonly string[];
  readonly state: DecisionState;
  /** The transaction that decided: epoch of the audit log, and id. */
  readonly transaction: string;
  /** RFC 3339. */
  readonly made_at: string;
}

export interface LostLook {
  readonly id: string;
  /** The last record of the ledger then, and its SHA-256, hex. */
  readonly head: { readonly record: string; readonly sha256: string };
  /** Records of the ledger that the database does not know, and all of whose decisions could be judged here. */
  readonly records: readonly {
    readonly record: string;
    readonly sha256: string;
    readonly decisions: number;
  }[];
  /** Rows that were looked at. */
  readonly rows: number;
  /** In the order in which they were made. */
  readonly lost: readonly LostDecision[];
  /** Decisions that were left out, by the transaction that was named. */
  readonly left_out: Readonly<Record<string, number>>;
  /** Decisions of which nothing can be said, since the key that entered them is not here. */
  readonly unknown: number;
}

export interface LostOptions {
  /** Transactions that were the mistake from which the database was restored: what they decided is not taken again. */
  readonly leaveOut?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onPage?: ((rows: number) => void) | undefined;
}

interface Row {
  readonly key: string[];
  readonly state: DecisionState;
}

const PAGE = 5_000;
/** What a hold can be of. */
const HELD = ['user', 'family', 'child'] as const;

/**
 * Holds the rows of this database against what the ledger of decisions says was decided after it was restored to, and puts
 * on record that it looks; undefined where it knows of nothing. Of decisions about one row the last counts. Memory goes with
 * those decisions alone. Throws `no_ledger_key`, and what the object store does.
 */
export async function lookForLost(
  session: Session,
  context: Context,
  { leaveOut = [], signal, onPage }: LostOptions = {},
): Promise<LostLook | undefined> {
  const evidence = openEvidence(context);
  await shareChain(evidence, context, DECISION_CHAIN);
  const records = await unknownRecords(session, evidence);
  const all = records.flatMap(({ decisions }) => decisions);
  if (all.length === 0) return undefined;
  const ledger = await openLedger(evidence, DECISION_PURPOSE);
  const [last] = (await listRecords(evidence, { chain: DECISION_CHAIN, limit: 1 })).records;
  const { id } = await session.one<{ id: string }>(
    sql`select privacy.begin_look(${all.length}::integer, ${last?.hash ?? ''}) as id`,
  );
  const { known } = await session.one<{ known: string[] }>(
    sql`select ops.decisions_known(${all.map((each) => each.id)}::uuid[]) as known`,
  );
  const here = new Set(known);
  const later = await decidedSince(session, ledger);
  const left_out = Object.fromEntries(
    leaveOut.map((transaction) => [transaction, all.filter((each) => isOf(each, transaction)).length]),
  );
  const decided = all.filter(
    (each) =>
      !here.has(each.id) &&
      !leaveOut.some((transaction) => isOf(each, transaction)) &&
      (later.get(each.mac) ?? '') < each.made_at,
  );
  const walk = { session, look: id, signal, onPage, rows: 0 };
  const lost = [
    ...(await lostOfRows(walk, ledger, decided)),
    ...(await lostHolds(
      walk,
      ledger,
      decided.filter(({ kind }) => kind === 'hold'),
    )),
  ].sort((a, b) => (a.made_at < b.made_at ? -1 : a.made_at > b.made_at ? 1 : 0));
  await session.query(
    sql`select privacy.end_look(${id}, ${walk.rows}::bigint, ${JSON.stringify({ lost: lost.length })}::jsonb)`,
  );
  const unjudged = new Set(decided.filter((each) => !ledger.knows(each)));
  return {
    ...{ id, rows: walk.rows, lost, left_out },
    head: { record: last?.id ?? '', sha256: last?.hash ?? '' },
    records: records
      .filter(({ decisions }) => !decisions.some((each) => unjudged.has(each)))
      .map(({ record, hash, decisions }) => ({ record, sha256: hash, decisions: decisions.length })),
    unknown: unjudged.size,
  };
}

/** When rows were decided about last of what waits to be entered: whatever came before that is no longer so. */
async function decidedSince(session: Session, ledger: Ledger): Promise<ReadonlyMap<string, string>> {
  const noted = await session.query<{ kind: string; key: string[]; made_at: string }>(
    'select kind, key, made_at from ops.decisions_to_enter(1000000)',
  );
  return new Map(
    noted.flatMap(({ kind, key, made_at }) =>
      ledger.entries(spelledRow(kind, key)).map(({ mac }): [string, string] => [mac, made_at]),
    ),
  );
}

interface Walk {
  readonly session: Session;
  readonly look: string;
  readonly signal: AbortSignal | undefined;
  readonly onPage: ((rows: number) => void) | undefined;
  rows: number;
}

async function* rowsOf(walk: Walk, kind: string): AsyncGenerator<Row> {
  for (let after: readonly string[] | null = null; ; ) {
    walk.signal?.throwIfAborted();
    const page: Row[] = await walk.session.query<Row>(
      sql`select key, state from privacy.known_decisions(${walk.look}, ${kind}, ${after}::text[], ${PAGE}::integer)`,
    );
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.key;
    walk.rows += page.length;
    walk.onPage?.(walk.rows);
  }
}

async function lostOfRows(
  walk: Walk,
  ledger: Ledger,
  decided: readonly EnteredDecision[],
): Promise<LostDecision[]> {
  const lost: LostDecision[] = [];
  for (const [kind, decisions] of groups(decided)) {
    if (kind === 'hold') continue;
    const newest = newestByMac(decisions);
    const candidates: { key: readonly string[]; was: DecisionState; decision: EnteredDecision }[] = [];
    for await (const { key, state } of rowsOf(walk, kind)) {
      const decision = latest(
        ledger.entries(spelledRow(kind, key)).flatMap(({ mac }) => newest.get(mac) ?? []),
      );
      if (decision !== undefined) candidates.push({ key, was: state, decision });
    }
    // What takes something is for the database to say.
    const { takes } = await walk.session.one<{ takes: boolean[] }>(
      sql`select privacy.decisions_take(${kind}, ${JSON.stringify(candidates.map(({ was, decision }) => [was, decision.state]))}::jsonb) as takes`,
    );
    candidates.forEach(({ key, decision }, at) => {
      if (takes[at] === true) lost.push(lostOne(decision, key, decision.state));
    });
  }
  return lost;
}

/** Holds whose number is not here, and whose subject is. */
async function lostHolds(
  walk: Walk,
  ledger: Ledger,
  decided: readonly EnteredDecision[],
): Promise<LostDecision[]> {
  const newest = new Map<string, EnteredDecision>();
  for (const decision of decided) {
    const number = decision.number ?? '';
    const other = newest.get(number);
    newest.set(number, latest(other === undefined ? [decision] : [other, decision]) as EnteredDecision);
  }
  if (newest.size === 0) return [];
  for await (const { key } of rowsOf(walk, 'hold')) newest.delete(key[0] ?? '');
  const missing = [...newest.values()].filter(({ state }) => state.released_at === null);
  const lost: LostDecision[] = [];
  for (const of of HELD) {
    const wanted = missing.flatMap((decision) => {
      const [kind, { mac }] = decision.state.subject as [string, { mac: string }];
      return kind === of ? [[mac, decision] as const] : [];
    });
    if (wanted.length === 0) continue;
    for await (const { key } of rowsOf(walk, of)) {
      const macs = new Set(ledger.entries(spelledRow(of, key)).map(({ mac }) => mac));
      for (const [mac, decision] of wanted) {
        if (!macs.has(mac)) continue;
        lost.push(lostOne(decision, [decision.number ?? ''], { ...decision.state, subject: [of, key[0]] }));
      }
    }
  }
  return lost;
}

function lostOne(
  { kind, epoch, xid, made_at }: EnteredDecision,
  key: readonly string[],
  state: DecisionState,
): LostDecision {
  return { kind, key, state, transaction: `${epoch}/${xid}`, made_at };
}

function groups(decided: readonly EnteredDecision[]): ReadonlyMap<DecisionKind, EnteredDecision[]> {
  const byKind = new Map<DecisionKind, EnteredDecision[]>();
  for (const decision of decided) {
    const group = byKind.get(decision.kind) ?? [];
    group.push(decision);
    byKind.set(decision.kind, group);
  }
  return byKind;
}

function newestByMac(decisions: readonly EnteredDecision[]): ReadonlyMap<string, EnteredDecision> {
  const newest = new Map<string, EnteredDecision>();
  for (const decision of decisions) {
    const other = newest.get(decision.mac);
    newest.set(decision.mac, latest(other === undefined ? [decision] : [other, decision]) as EnteredDecision);
  }
  return newest;
}

const latest = (decisions: readonly EnteredDecision[]) =>
  decisions.reduce<EnteredDecision | undefined>(
    (a, b) => (a === undefined || b.made_at >= a.made_at ? b : a),
    undefined,
  );
