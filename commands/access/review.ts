import type { BrokenGlass, Deeds } from '../../src/access/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, tableFlags, uuidArg, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { brokenGlassTable, deedsViews, REVIEW_COLUMNS } from '../../src/console/review-views.js';
import { text } from '../../src/console/views.js';

const DUTIES = ['auditor', 'admin'] as const;
const VERDICTS = { justified: 'justified', 'not-justified': 'not_justified' } as const;
type Verdict = keyof typeof VERDICTS;

export default class AccessReview extends ConsoleCommand<typeof AccessReview> {
  static override summary = 'Review what was done after somebody broke the glass alone';
  static override description =
    'Without an id: what waits for a review. With one: what the log holds of it. With --verdict: sign it, as an auditor or ' +
    'admin who is somebody else; the reason is the note. Overdue ones are a finding of doctor.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> 5c1e07d2-…',
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --verdict justified --reason "restored one row, as INC-1 says"',
  ];
  static override args = { grant: uuidArg({ description: 'the grant; what waits when absent' }) };
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    ...tableFlags(REVIEW_COLUMNS),
    all: Flags.boolean({ description: 'also those that were reviewed', default: false }),
    verdict: Flags.option({ options: Object.keys(VERDICTS) as Verdict[] })({
      description: 'sign the review',
    }),
  };

  protected override get writes(): boolean {
    return this.flags.verdict !== undefined;
  }

  async perform(): Promise<Outcome> {
    const { listReviews, planReview, readDeeds, reviewAccess } = await import('../../src/access/index.js');
    const { grant } = this.args;
    const { verdict } = this.flags;
    if (grant === undefined) {
      const reviews = await this.withSession(DUTIES, (session) => listReviews(session, this.flags));
      const view = brokenGlassTable(this.sorted(reviews, REVIEW_COLUMNS));
      return { result: { reviews }, view, next: firstDue(reviews) };
    }
    if (verdict === undefined) {
      const deeds = await this.withSession(DUTIES, (session) => readDeeds(session, grant));
      return { result: deeds, view: deedsViews(deeds), next: signing(deeds) };
    }
    return await this.withSession(DUTIES, (session) =>
      this.change({
        plan: () => planReview(session, grant),
        show: deedsViews,
        question: ({ glass }) => `Sign what ${glass.operator} did as ${verdict.replace('-', ' ')}?`,
        apply: () => reviewAccess(session, grant, VERDICTS[verdict]),
        done: (glass) => ({
          result: glass,
          view: text(`Reviewed: ${verdict.replace('-', ' ')}.`, { mark: 'good' }),
          next: 'nestctl access review',
        }),
      }),
    );
  }
}

function firstDue(reviews: readonly BrokenGlass[]): string | undefined {
  const due = reviews.find(({ state }) => state === 'due' || state === 'overdue');
  return due === undefined ? undefined : `nestctl access review ${due.id}`;
}

function signing({ glass }: Deeds): string | undefined {
  const { id, state } = glass;
  return state === 'due' || state === 'overdue'
    ? `nestctl access review ${id} --verdict justified --reason '…'`
    : undefined;
}
