import { durationFlag, roleFlag, textFlag, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import { invited } from '../../src/console/invitation-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details } from '../../src/console/views.js';

const WEEK = 7 * 86_400_000;

export default class InvitationCreate extends GrantedWrite<typeof InvitationCreate> {
  static override summary = 'Invite an address to a family';
  static override description =
    'The application makes the token and sends the mail; no operator ever holds a link that opens the invitation.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --email gran@example.ca --role extended_family --reason "…" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    family: uuidFlag({ description: 'the family', required: true }),
    email: textFlag({ description: 'whom to invite', required: true }),
    role: roleFlag({ description: 'as what', required: true }),
    for: durationFlag({
      description: 'how long it is open',
      default: WEEK,
      min: 3_600_000,
      max: 30 * 86_400_000,
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { createInvitation } = await import('../../src/families/index.js');
    const { family: family_id, email, role } = this.flags;
    return await this.withSession(['support', 'admin'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family_id }, this.flags);
      return await this.change({
        plan: async () => ({ family_id, email, role, until: new Date(Date.now() + this.flags.for) }),
        show: ({ until }) => details({ family: family_id, to: email, role, until }),
        question: () => `Invite ${email} as ${role}?`,
        apply: (plan) => createInvitation(session, plan),
        done: (invitation) => invited(invitation, 'The invitation is made; the application sends the mail.'),
      });
    });
  }
}
