import { durationFlag, packageArgs, textFlag, writeFlags } from '../../src/console/flags/index.js';
import { formatBytes } from '../../src/console/format-bytes.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { sharedViews, sharePlanViews } from '../../src/console/share-views.js';
import { formatDuration } from '../../src/console/time/parse-duration.js';

const DAY = 86_400_000;

export default class ExportShare extends GrantedWrite<typeof ExportShare> {
  static override summary = 'Share a package by a link that works for 7 days at most';
  static override description =
    'Uploads the very file that export create has recorded to export_store of the context, else its object_store: a Canadian bucket that encrypts and has no Object Lock, so that it can be revoked. All of it is read back before anything is reported. The link is told once and kept nowhere; whoever has it can fetch the package. Interrupted, the next run goes on.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --file jeanne.zip --reason "sent by link" --ticket DSR-12',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --file jeanne.zip --expires 48h --dry-run',
  ];
  static override args = packageArgs;
  static override flags = {
    ...writeFlags,
    file: textFlag({ description: 'the package', helpValue: 'FILE', required: true }),
    expires: durationFlag({
      description: 'how long the link works',
      default: 7 * DAY,
      min: 60_000,
      max: 7 * DAY,
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { openEvidence } = await import('../../src/evidence/index.js');
    const { scopeOf, planShare, requireNoLocks, sharePackage, withShareStore } = await import(
      '../../src/privacy/index.js'
    );
    const { file, expires } = this.flags;
    const { of } = this.args;
    const context = await this.context();
    const evidence = openEvidence(context);
    const wish = { of, file, seconds: Math.floor(expires / 1_000) };
    return await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, await scopeOf(session, of), this.flags);
      return await withShareStore(context, (store) =>
        this.change({
          plan: async () => {
            await requireNoLocks(store, context);
            return await planShare(session, evidence, store, wish);
          },
          show: (plan) => sharePlanViews(plan, formatDuration(expires)),
          question: (plan) =>
            `Upload the package for ${plan.package.request} to ${plan.place} and make a link to it?`,
          apply: (plan) =>
            sharePackage(session, evidence, store, plan, {
              signal: this.signal,
              onProgress: ({ sent, total = 0 }) =>
                this.progress(`${formatBytes(sent)} of ${formatBytes(total)} sent`),
            }),
          done: (shared) => ({
            result: shared,
            view: sharedViews(shared),
            next: `nestctl export revoke ${shared.package}`,
          }),
        }),
      );
    });
  }
}
