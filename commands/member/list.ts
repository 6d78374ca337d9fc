import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, tableFlags, uuidFlag, zoneFlags } from '../../src/console/flags/index.js';
import { withoutVersion } from '../../src/console/member-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import type { Membership } from '../../src/families/index.js';

const COLUMNS: readonly Column<Membership>[] = [
  { name: 'e-mail', value: ({ email }) => email },
  { name: 'role', value: ({ role }) => role, keep: true },
  {
    name: 'status',
    value: ({ status }) => (status === 'active' ? toned('good', status) : toned('bad', status)),
    keep: true,
  },
  { name: 'until', value: ({ access_expires_at }) => access_expires_at },
  {
    name: 'granted',
    value: ({ granted_permissions }) => granted_permissions.join(' ') || null,
    raw: ({ granted_permissions }) => granted_permissions,
  },
  {
    name: 'denied',
    value: ({ denied_permissions }) => denied_permissions.join(' ') || null,
    raw: ({ denied_permissions }) => denied_permissions,
  },
  { name: 'user', value: ({ user_id }) => user_id, extra: true },
];

export default class MemberList extends ConsoleCommand<typeof MemberList> {
  static override summary = 'List the memberships of a family, ended ones too; needs an access grant';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --reason "Grandma cannot see the log" --ticket SUP-1234',
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
    const { listMembers } = await import('../../src/families/index.js');
    const { family } = this.flags;
    const found = await this.withSession(['support', 'compliance', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await listMembers(session, family);
    });
    const members = this.sorted(found, COLUMNS);
    return {
      result: { members: members.map(withoutVersion) },
      view: table(members, COLUMNS, 'No members.'),
    };
  }
}
