import { ConsoleCommand } from '../../src/console/base-command.js';
import { CONSENT_TYPES, TURN_COLUMNS } from '../../src/console/consent-views.js';
import { Flags, staffFlags, tableFlags, uuidArg, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table } from '../../src/console/views.js';

export default class ConsentHistory extends ConsoleCommand<typeof ConsentHistory> {
  static override summary =
    'Tell what a person has agreed to, denied and withdrawn: when, how, which version, written by whom';
  static override description =
    'From the records, which are never deleted, and from the audit log, whose reading is on record. Needs an access grant for the person.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --reason "asks what she agreed to" --ticket PRIV-7',
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --type marketing --json',
  ];
  static override args = { user: uuidArg({ required: true, description: 'the id of the account' }) };
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    ...tableFlags(TURN_COLUMNS),
    type: Flags.option({ options: CONSENT_TYPES })({ description: 'only this consent' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { consentHistory } = await import('../../src/privacy/index.js');
    const { type } = this.flags;
    const id = this.args.user;
    const { turns, lacks } = await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, { kind: 'user', id }, this.flags);
      return await consentHistory(session, id);
    });
    this.warning('archived_months', lacks);
    const found = this.sorted(
      turns.filter((turn) => type === undefined || turn.type === type),
      TURN_COLUMNS,
    );
    return {
      result: { turns: found },
      view: table(found, TURN_COLUMNS, 'Nothing was agreed to, and nothing denied.'),
    };
  }
}
