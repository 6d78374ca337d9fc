import { ConsoleCommand } from '../../src/console/base-command.js';
import { Args, parseUuid, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table, toned } from '../../src/console/views.js';

export default class FamilyShow extends ConsoleCommand<typeof FamilyShow> {
  static override summary = 'Show a family with its members, children and invitations; needs an access grant';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 9f3a0c1e-… --reason "Grandma cannot see the log" --ticket SUP-1234',
  ];
  static override args = {
    family: Args.string({ required: true, description: 'its id', parse: async (input) => parseUuid(input) }),
  };
  static override flags = { ...staffFlags, ...zoneFlags };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { showFamily } = await import('../../src/families/index.js');
    const id = this.args.family;
    const family = await this.withSession(['support', 'compliance', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id }, this.flags);
      return await showFamily(session, id);
    });
    const { members, children, invitations, ...itself } = family;
    return {
      result: family,
      view: [
        details({ ...itself }),
        heading('Members'),
        table(
          members,
          [
            { name: 'e-mail', value: (member) => member.email },
            { name: 'name', value: (member) => member.display_name },
            { name: 'role', value: (member) => member.role, keep: true },
            {
              name: 'status',
              value: (member) =>
                member.counts ? toned('good', member.status) : toned('bad', notCounting(member)),
              keep: true,
            },
            { name: 'until', value: (member) => member.access_expires_at },
            { name: 'granted', value: (member) => member.granted_permissions.join(' ') },
            { name: 'denied', value: (member) => member.denied_permissions.join(' ') },
            { name: 'user', value: (member) => member.user_id, extra: true },
          ],
          'No members.',
        ),
        heading('Children'),
        table(
          children,
          [
            { name: 'name', value: (child) => child.name },
            { name: 'born', value: (child) => child.date_of_birth },
            { name: 'size', value: (child) => child.current_diaper_size },
            { name: 'removed', value: (child) => child.deleted_at },
            { name: 'id', value: (child) => child.id },
          ],
          'No children.',
        ),
        heading('Invitations'),
        table(
          invitations,
          [
            { name: 'e-mail', value: (invitation) => invitation.email },
            { name: 'role', value: (invitation) => invitation.role },
            { name: 'status', value: (invitation) => invitation.status },
            { name: 'expires', value: (invitation) => invitation.expires_at },
          ],
          'No invitations.',
        ),
      ],
    };
  }
}

/** Why a membership opens nothing, in a word or two. */
function notCounting(member: { status: string; account: string; access_expires_at: Date | null }): string {
  if (member.status !== 'active') return member.status;
  if (member.account !== 'active') return `account ${member.account}`;
  return member.access_expires_at !== null && member.access_expires_at < new Date()
    ? 'expired'
    : 'family archived';
}
