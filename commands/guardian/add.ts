import { dayFlag, Flags, personFlag, textFlag, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import {
  BASES,
  EVIDENCE,
  guardianDetails,
  guardianDone,
  guardianName,
  LIMITS,
} from '../../src/console/guardian-views.js';
import type { Outcome } from '../../src/console/outcome.js';

const several = { multiple: true, delimiter: ',' } as const;

export default class GuardianAdd extends GrantedWrite<typeof GuardianAdd> {
  static override summary = 'Record who stands for a child, on which basis and on what evidence';
  static override description =
    'What a court has limited is recorded with it: no_information, no_contact, no_authority and no_decisions let the person be given nothing of the child. Of documents only the kind is kept, never a number. An account is looked up in the directory, masked and on record.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --child 5c1e07d2-… --user dad@example.ca --basis parent --evidence act_of_birth --from 2025-02-03 --reason "…" --ticket PRIV-12',
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --child 5c1e07d2-… --name "Marie Roy" --basis parenting_order --evidence court_order --limit joint_decisions --from 2026-01-15 --until 2027-01-14 --reason "…" --ticket PRIV-12',
  ];
  static override flags = {
    ...writeFlags,
    family: uuidFlag({ description: 'the family of the child', required: true }),
    child: uuidFlag({ description: 'the child', required: true }),
    user: personFlag({ exclusive: ['name'], description: 'the guardian, by account' }),
    name: textFlag({
      exclusive: ['user'],
      description: 'the guardian, where they have no account',
      helpValue: 'NAME',
    }),
    basis: Flags.option({ options: BASES })({ description: 'what makes them one', required: true }),
    evidence: Flags.option({ options: EVIDENCE, ...several })({
      description: 'the kinds of documents that were seen',
      required: true,
    }),
    limit: Flags.option({ options: LIMITS, ...several })({ description: 'what a court has limited' }),
    from: dayFlag({ description: 'the first day', required: true }),
    until: dayFlag({ description: 'the last day, where an order names one' }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { addGuardian, guardianPerson, planGuardian } = await import('../../src/privacy/index.js');
    const { family, child, user, name, basis, evidence, limit: limits = [], from, until = null } = this.flags;
    const person = guardianPerson({ user, name });
    return await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, { kind: 'family', id: family }, this.flags);
      return await this.change({
        plan: async () => {
          if (user !== undefined) await ensureAccess(session, { kind: 'directory' }, this.flags);
          const wish = { child: { family, id: child }, person, basis, limits, evidence, from, until };
          return await planGuardian(session, wish);
        },
        show: (plan) => guardianDetails({ ...plan, child }),
        question: (plan) => `Record that ${guardianName(plan)} stands for child ${child}?`,
        apply: (plan) => addGuardian(session, plan),
        done: (guardian, plan) =>
          guardianDone(guardian, `${guardianName(plan)} is on record as standing for the child.`),
      });
    });
  }
}
