import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  CONSENT_COLUMNS,
  CONSENT_TYPES,
  consentResult,
  withdrawalViews,
} from '../../src/console/consent-views.js';
import { Flags, staffFlags, tableFlags, uuidArg, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

export default class ConsentShow extends ConsoleCommand<typeof ConsentShow> {
  static override summary = "Show how a person's consents stand, and what rests on them";
  static override description =
    'By the newest record of each kind, and beside it the setting that the application goes by. With --type also what follows from withdrawing it, and which columns of the data map rest on it. Needs an access grant for the person.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "asks what she agreed to" --ticket PRIV-7',
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --type analytics',
  ];
  static override args = { user: uuidArg({ required: true, description: 'the id of the account' }) };
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    ...tableFlags(CONSENT_COLUMNS),
    type: Flags.option({ options: CONSENT_TYPES })({
      description: 'only this consent, with what follows from its withdrawal',
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { showConsents } = await import('../../src/privacy/index.js');
    const { type } = this.flags;
    const id = this.args.user;
    const all = await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, { kind: 'user', id }, this.flags);
      return await showConsents(session, id);
    });
    const found = all.filter((one) => type === undefined || one.type === type);
    const consents = this.sorted(found, CONSENT_COLUMNS);
    const rows = table(consents, CONSENT_COLUMNS, 'No consent is known.');
    return {
      result: { consents: consents.map(consentResult) },
      rows,
      view: type === undefined ? rows : consents.flatMap(withdrawalViews),
    };
  }
}
