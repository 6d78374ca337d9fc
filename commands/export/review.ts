import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  Flags,
  requestArg,
  rowFlags,
  staffFlags,
  textFlag,
  uuidFlag,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { REVIEW_COLUMNS, reviewTable, reviewViews } from '../../src/console/review-sheet-views.js';

export default class ExportReview extends ConsoleCommand<typeof ExportReview> {
  static override summary = 'What a package would give, against what its person sees in the app';
  static override description =
    'The review sheet of an officer, before the package is made. From one snapshot, the plan of the package, and what row security shows to the person as their own role: rows given though the person does not see them, and rows seen that are not given, each with the reason and a count; and columns likewise. Nobody is impersonated: the policies are evaluated, the question is on record, and no value of a row is shown but the ids of families. A child has no account and sees nothing: its sheet is the plan, and access matrix tells what its family sees. What the functions of the app answer is not compared. Exit code 3: the person sees rows that nothing connects with them, a fault of row security or of the data map.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --reason "access request" --ticket DSR-12',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --html sheet.html --language fr',
    '<%= config.bin %> <%= command.id %> --user 5c1e07d2-… --json --output sheet.json',
  ];
  static override args = {
    number: requestArg({ description: 'the number of the request that the package is to answer' }),
  };
  static override flags = {
    ...staffFlags,
    ...rowFlags(REVIEW_COLUMNS),
    user: uuidFlag({ description: 'the person, where no request is named', exclusive: ['child'] }),
    child: uuidFlag({ description: 'the child, whose guardian has asked' }),
    html: textFlag({ description: 'write it as a page to this file too', helpValue: 'FILE' }),
    language: Flags.option({ options: ['en', 'fr'] as const, default: 'en' as const })({
      description: 'of the page',
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { recordReading } = await import('../../src/audit/index.js');
    const { packageScope, packageSubject, requireStanding, reviewExport, writeReviewSheet } = await import(
      '../../src/privacy/index.js'
    );
    const { user, child, html, language } = this.flags;
    const wish = { request: this.args.number, user, child };
    const { review, request } = await this.withSession(['compliance'], async (session) => {
      const of = await packageSubject(session, wish, 'export review');
      const scope = packageScope(of.subject);
      await ensureAccess(session, scope, this.flags);
      if (of.request !== undefined) await requireStanding(session, of.request);
      const filter = { [scope.kind]: scope.id };
      this.warning('archived_months', await recordReading(session, { kind: 'export', filter }));
      return { review: await reviewExport(session, of.subject), request: of.request };
    });
    const about = { ...review, request: request?.number ?? null };
    if (html !== undefined) await writeReviewSheet(about, html, { language, at: new Date() });
    const rows = reviewTable(review);
    return {
      result: { ...about, html: html ?? null },
      view: reviewViews(about, rows),
      rows,
      verdict: (review.views?.unconnected ?? 0) > 0 ? 'finding' : undefined,
      next: request === undefined ? undefined : `nestctl export create ${request.number} --file FILE`,
    };
  }
}
