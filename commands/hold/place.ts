import { ConsoleCommand } from '../../src/console/base-command.js';
import { dayFlag, Flags, textFlag, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { HOLD_BASES, holdDone, holdPlanViews } from '../../src/console/hold-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { NestctlError } from '../../src/platform/errors.js';
import type { HoldSubject } from '../../src/privacy/index.js';

const SUBJECTS = ['user', 'family', 'child'] as const;

export default class HoldPlace extends ConsoleCommand<typeof HoldPlace> {
  static override summary = 'Preserve all of an account, a family or a child for a proceeding';
  static override description =
    'While a hold stands the database refuses to erase any of it, by hand-written SQL too, and months of the audit log that hold events of it are not pruned. It never ends by itself: it is released, and until then somebody has to say at each review that it is still needed. Nobody is looked up, so no access grant is needed.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --basis litigation --matter "parenting order sought" --reference 500-04-123456-261 --reason "letter of counsel of 2026-11-27" --ticket LEG-7',
    '<%= config.bin %> <%= command.id %> --user 5c1e07d2-… --basis investigation --matter "inquiry of the Commissioner" --review 2027-02-01 --reason "…" --dry-run',
  ];
  static override flags = {
    ...writeFlags,
    user: uuidFlag({ description: 'an account', exclusive: ['family', 'child'] }),
    family: uuidFlag({ description: 'a family, and all who are or were in it', exclusive: ['child'] }),
    child: uuidFlag({ description: 'a child: the family that it is in' }),
    basis: Flags.option({ options: HOLD_BASES })({
      description: 'what needs it; order: of a court, or a demand to preserve',
      required: true,
    }),
    matter: textFlag({ description: 'the proceeding, in words', required: true }),
    reference: textFlag({ description: 'the number of its file there' }),
    review: dayFlag({ description: 'the day of its review, within a year; in 180 days when absent' }),
  };

  async perform(): Promise<Outcome> {
    const { placeHold, planHold } = await import('../../src/privacy/index.js');
    const { basis, matter, reference, review: review_on } = this.flags;
    const subject = this.#subject();
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planHold(session, { subject, basis, matter, reference, review_on }),
        show: holdPlanViews,
        question: () => `Preserve all of this ${subject.kind === 'user' ? 'account' : subject.kind}?`,
        apply: (plan) => placeHold(session, plan),
        done: (hold) => holdDone(hold, `Hold ${hold.number} stands until it is released.`),
      }),
    );
  }

  #subject(): HoldSubject {
    for (const kind of SUBJECTS) {
      const id = this.flags[kind];
      if (id !== undefined) return { kind, id };
    }
    throw new NestctlError('Whom is it on? One of --user, --family and --child.', {
      kind: 'needs_input',
      code: 'subject_missing',
      next: 'nestctl hold place --help',
    });
  }
}
