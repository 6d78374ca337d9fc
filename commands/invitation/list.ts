import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, tableFlags, uuidFlag, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import type { Invitation } from '../../src/families/index.js';

const COLUMNS: readonly Column<Invitation>[] = [
  { name: 'invitation', value: ({ id }) => id },
  { name: 'to', value: ({ email }) => email, keep: true },
  { name: 'role', value: ({ role }) => role },
  {
    name: 'status',
    value: ({ status }) => (status === 'expired' ? toned('bad', status) : status),
    keep: true,
  },
  { name: 'until', value: ({ expires_at }) => expires_at },
  { name: 'mail', value: ({ mail }) => mail },
  { name: 'made', value: ({ created_at }) => created_at, extra: true },
];

export default class InvitationList extends ConsoleCommand<typeof InvitationList> {
  static override summary = "List a family's invitations, the newest first; needs an access grant";
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --reason "never got the invitation" --ticket SUP-1234',
  ];
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    ...tableFlags(COLUMNS),
    family: uuidFlag({ description: 'the family', required: true }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { listInvitations } = await import('../../src/families/index.js');
    const { family } = this.flags;
    const found = await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await listInvitations(session, family);
    });
    const invitations = this.sorted(found, COLUMNS);
    return {
      result: { invitations: invitations.map(({ seen, ...invitation }) => invitation) },
      view: table(invitations, COLUMNS, 'No invitations.'),
    };
  }
}
