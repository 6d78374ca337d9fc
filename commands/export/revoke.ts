import { packageArgs, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { revocationPlanViews } from '../../src/console/share-views.js';
import { text } from '../../src/console/views.js';

export default class ExportRevoke extends GrantedWrite<typeof ExportRevoke> {
  static override summary = 'Delete a package from where it was shared, in every version';
  static override description =
    'Deletes each version and delete marker of it and what was sent of it, and says so once the store has shown that nothing is left and that it cannot be read. Of a request, all its packages that are shared. What was fetched before stays with whoever fetched it; the package itself, and its record, are not touched.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --reason "sent to a wrong address" --ticket DSR-12',
    '<%= config.bin %> <%= command.id %> 0a77c2d1-… --dry-run',
  ];
  static override args = packageArgs;
  static override flags = writeFlags;

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { openEvidence } = await import('../../src/evidence/index.js');
    const { scopeOf, planRevocation, revokeShares, withShareStore } = await import(
      '../../src/privacy/index.js'
    );
    const { of } = this.args;
    const context = await this.context();
    const evidence = openEvidence(context);
    return await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, await scopeOf(session, of), this.flags);
      return await withShareStore(context, (store) =>
        this.change({
          plan: () => planRevocation(session, store, of),
          show: revocationPlanViews,
          nothing: ({ shares }) => shares.length === 0,
          question: ({ shares, place }) =>
            `Delete ${shares.length === 1 ? 'a package' : `${shares.length} packages`} from ${place}, in every version?`,
          apply: (plan) => revokeShares(session, evidence, store, plan),
          done: (revoked) => ({
            result: { revoked },
            view: revoked.map((one) =>
              text(
                `Package ${one.package} is revoked: ${one.removed_versions} versions deleted, none is left. Evidence ${one.evidence}.`,
                { mark: 'good' },
              ),
            ),
            next: `nestctl export list ${of}`,
          }),
        }),
      );
    });
  }
}
