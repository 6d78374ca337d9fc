import type { Words } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { askViews, compareViews, type TableViews } from './compare-views.js';
import type { PackageSubject } from './exportable-request.js';
import { requireMap } from './package-tables.js';
import { type ExportPlan, planOf, readSubject } from './plan-export.js';
import { WHY_BEYOND, WHY_UNSEEN } from './view-words.js';

/** What an officer looks at before a package is made. */
export interface ExportReview extends ExportPlan {
  /** null for a child, which has no account and so sees nothing. */
  readonly views: ReviewedViews | null;
}

export interface ReviewedViews {
  readonly tables: readonly TableViews[];
  /** Rows that are given and seen. */
  readonly both: number;
  /** Rows that are given and unseen, of tables that the app shows; and of all others. */
  readonly unseen: number;
  readonly not_in_app: number;
  /** Rows about somebody that are seen and not given. */
  readonly beyond: number;
  /** Rows that the person sees and that nothing connects with them: a fault, of row security or of the data map. */
  readonly unconnected: number;
  /** What the reasons say, in English. */
  readonly reasons: Readonly<Record<string, string>>;
}

/**
 * The plan of a package, and what its subject sees of the same snapshot in the app, as their own role. The question is on
 * record before it is answered; nothing else is written. Throws as `planExport` does.
 */
export async function reviewExport(session: Session, of: PackageSubject): Promise<ExportReview> {
  await requireMap(session);
  const question = of.kind === 'user' ? await askViews(session, of.id) : undefined;
  return await session.transaction(
    async () => {
      const read = await readSubject(session, of);
      const tables =
        question === undefined ? undefined : await compareViews(session, of, question, read.tables);
      const plan = await planOf(session, of, read);
      return { ...plan, views: tables === undefined ? null : reviewed(tables) };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

function reviewed(tables: readonly TableViews[]): ReviewedViews {
  const unseen = tables.flatMap((table) => table.unseen);
  const beyond = tables.flatMap((table) => table.beyond);
  const given = tables.reduce((total, table) => total + table.given, 0);
  const words: Readonly<Record<string, Words>> = { ...WHY_UNSEEN, ...WHY_BEYOND };
  const reasons = [...new Set([...unseen, ...beyond].map(({ why }) => why))];
  return {
    tables,
    both: given - sum(unseen),
    unseen: sum(unseen.filter(({ why }) => why !== 'not_in_app')),
    not_in_app: sum(unseen.filter(({ why }) => why === 'not_in_app')),
    beyond: sum(beyond.filter(({ why }) => why !== 'about_nobody')),
    unconnected: sum(beyond.filter(({ why }) => why === 'unconnected')),
    reasons: Object.fromEntries(reasons.map((why) => [why, words[why]?.en ?? why])),
  };
}

const sum = (differences: readonly { readonly rows: number }[]) =>
  differences.reduce((total, { rows }) => total + rows, 0);
