import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  optionalPackageArgs,
  staffFlags,
  tableFlags,
  uuidFlag,
  zoneFlags,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { SHARE_COLUMNS, shareRows } from '../../src/console/share-views.js';
import { table } from '../../src/console/views.js';

export default class ExportList extends ConsoleCommand<typeof ExportList> {
  static override summary = 'List the packages that were made, and where they are shared';
  static override description =
    'Shared until when, expired, revoked or never shared. What expired is in the store until it is revoked. Downloads are unknown: no access log of a store is read. Compliance sees packages of persons whom a live grant covers, and opens one for a request, a package or --user; an auditor sees all.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --reason "asks for the link again" --ticket DSR-12',
    '<%= config.bin %> <%= command.id %> --duty auditor --format csv',
  ];
  static override args = optionalPackageArgs;
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    ...tableFlags(SHARE_COLUMNS),
    user: uuidFlag({ description: 'only of this person' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess, ensureSomeAccess } = await import('../../src/access/index.js');
    const { listPackages, scopeOf } = await import('../../src/privacy/index.js');
    const { user } = this.flags;
    const { of } = this.args;
    const packages = await this.withSession(['compliance', 'auditor'], async (session) => {
      if (session.duty === 'compliance') {
        const person = user === undefined ? undefined : ({ kind: 'user', id: user } as const);
        const scope = person ?? (of === undefined ? undefined : await scopeOf(session, of));
        if (scope === undefined) await ensureSomeAccess(session);
        else await ensureAccess(session, scope, this.flags);
      }
      return await listPackages(session, { of, user });
    });
    const live = packages.flatMap(({ id, shares }) =>
      shares.filter(({ state }) => state === 'expired' || state === 'begun').map(() => id),
    );
    const [first] = live;
    if (first !== undefined)
      this.warning(
        'left_in_store',
        `${live.length === 1 ? 'A package lies' : `${live.length} packages lie`} in the store without a link that works: nestctl export revoke removes it.`,
      );
    return {
      result: {
        packages: packages.map((one) => ({ ...one, downloads: one.shares.length === 0 ? null : 'unknown' })),
      },
      view: table(this.sorted(shareRows(packages), SHARE_COLUMNS), SHARE_COLUMNS, 'No package was made.'),
      next: first === undefined ? undefined : `nestctl export revoke ${first}`,
    };
  }
}
