import { ConsoleCommand } from '../../src/console/base-command.js';
import { staffFlags, uuidArg, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table, toned } from '../../src/console/views.js';
import type { FamilyMember } from '../../src/families/index.js';

const DUTIES = ['support', 'compliance', 'admin'] as const;

export default class FamilyShow extends ConsoleCommand<typeof FamilyShow> {
  static override summary = 'Show a family with its members, children and invitations; needs an access grant';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 9f3a0c1e-… --reason "Grandma cannot see the log" --ticket SUP-1234',
  ];
  static override args = {
    family: uuidArg({ required: true, description: 'its id' }),
  };
  static override flags = { ...staffFlags, ...zoneFlags };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { showFamily } = await import('../../src/families/index.js');
    const id = this.args.family;
    const family = await this.withSession(DUTIES, async (session) => {
      await ensureAccess(session, { kind: 'family', id }, this.flags);
      return await showFamily(session, id);
    });
    const { members, children, invitations } = family;
    return {
      result: family,
      view: [
        details({
          family: family.name,
          id: family.id,
          type: family.family_type,
          description: family.description ?? undefined,
          where: [family.province, family.timezone].filter((part) => part !== null).join(', '),
          since: family.created_at,
          archived: family.archived_at === null ? undefined : toned('bad', family.archived_at),
          'last usage': family.last_logged_at,
        }),
        heading(`Members: ${membersLine(members)}`),
        table(
          members,
          [
            { name: 'e-mail', value: (member) => member.email },
            { name: 'role', value: (member) => member.role, keep: true },
            {
              name: 'status',
              value: (member) =>
                member.counts ? toned('good', member.status) : toned('bad', member.blocked_by),
              keep: true,
            },
            { name: 'until', value: (member) => member.access_expires_at },
            { name: 'name', value: (member) => member.display_name },
            { name: 'granted', value: (member) => member.granted_permissions.join(' ') || null },
            { name: 'denied', value: (member) => member.denied_permissions.join(' ') || null },
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
            { name: 'id', value: (child) => child.id },
            { name: 'removed', value: (child) => child.deleted_at },
          ],
          'No children.',
        ),
        heading('Invitations'),
        table(
          invitations,
          [
            { name: 'e-mail', value: (invitation) => invitation.email },
            { name: 'role', value: (invitation) => invitation.role },
            {
              name: 'status',
              value: ({ status }) => (status === 'expired' ? toned('bad', status) : status),
            },
            { name: 'expires', value: (invitation) => invitation.expires_at },
          ],
          'No invitations.',
        ),
      ],
    };
  }
}

/** `3, of whom 1 sees nothing (expired)`: what a caller who "cannot see the log" is about. */
function membersLine(members: readonly FamilyMember[]): string {
  const blocked = members.flatMap((member) => member.blocked_by ?? []);
  if (blocked.length === 0) return String(members.length);
  const sees = blocked.length === 1 ? 'sees' : 'see';
  return `${members.length}, of whom ${blocked.length} ${sees} nothing (${[...new Set(blocked)].join(', ')})`;
}
