import {
  addMember,
  changeAccount,
  changeFamily,
  changeInvitation,
  changeMember,
  createInvitation,
  linkAccounts,
  type MemberWish,
  planAccountChange,
  planAccountLink,
  planFamilyChange,
  planInvitationChange,
  planMemberChange,
} from '../../families/index.js';
import type { Session } from '../../platform/database/session.js';
import type { Diagnosis } from './diagnose-access.js';
import type { Step } from './step.js';

/** A step that can be taken now. */
export interface PreparedStep {
  /** The versions of the rows that it changes, by what they are. */
  readonly rows: Readonly<Record<string, string>>;
  readonly take: () => Promise<unknown>;
}

const DAY = 86_400_000;
const OPEN_FOR = 7 * DAY;

/** Plans a step by the operation that its command calls. Throws what that operation throws. */
export async function prepareStep(
  session: Session,
  step: Step,
  person: Diagnosis['person'],
): Promise<PreparedStep> {
  const after = (time: number) => new Date(Date.now() + time);
  switch (step.does) {
    case 'member extend':
    case 'member reinstate':
    case 'member set-permissions': {
      const plan = await planMemberChange(session, step.family, step.user, memberWish(step));
      return {
        rows: { [`member ${step.family} ${person.id}`]: plan.before.seen },
        take: () => changeMember(session, plan),
      };
    }
    case 'member add': {
      const plan = {
        family_id: step.family,
        user_id: person.id,
        email: person.email,
        role: step.role,
        until: null,
      };
      return { rows: {}, take: () => addMember(session, plan) };
    }
    case 'family restore': {
      const plan = await planFamilyChange(session, step.family, { verb: 'restore' });
      return {
        rows: { [`family ${step.family}`]: plan.before.seen },
        take: () => changeFamily(session, plan),
      };
    }
    case 'user reinstate':
    case 'user resend-verification': {
      const verb = step.does === 'user reinstate' ? 'reinstate' : 'resend-verification';
      const plan = await planAccountChange(session, step.user, verb);
      return {
        rows: { [`account ${step.user}`]: plan.before.seen },
        take: () => changeAccount(session, plan),
      };
    }
    case 'user link-accounts': {
      const plan = await planAccountLink(session, step.user, step.duplicate);
      return {
        rows: {
          [`account ${step.user}`]: plan.kept.seen,
          [`account ${step.duplicate}`]: plan.duplicate.seen,
        },
        take: () => linkAccounts(session, plan),
      };
    }
    case 'invitation resend':
    case 'invitation revoke': {
      const plan = await planInvitationChange(
        session,
        step.family,
        step.invitation,
        step.does === 'invitation revoke' ? { verb: 'revoke' } : { verb: 'resend', until: after(OPEN_FOR) },
      );
      return {
        rows: { [`invitation ${step.invitation}`]: plan.before.seen },
        take: () => changeInvitation(session, plan),
      };
    }
    case 'invitation create': {
      const { family: family_id, email, role } = step;
      return {
        rows: {},
        take: () => createInvitation(session, { family_id, email, role, until: after(OPEN_FOR) }),
      };
    }
  }
}

function memberWish(
  step: Extract<Step, { does: 'member extend' | 'member reinstate' | 'member set-permissions' }>,
): MemberWish {
  switch (step.does) {
    case 'member extend':
      return { verb: 'extend', until: new Date(Date.now() + step.days * DAY) };
    case 'member reinstate':
      return { verb: 'reinstate' };
    case 'member set-permissions':
      return { verb: 'set-permissions', granted: step.granted, denied: step.denied };
  }
}
