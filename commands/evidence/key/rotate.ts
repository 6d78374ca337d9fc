import { ConsoleCommand } from '../../../src/console/base-command.js';
import { consentFlags, Flags, whyFlags } from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { details, text } from '../../../src/console/views.js';

export default class EvidenceKeyRotate extends ConsoleCommand<typeof EvidenceKeyRotate> {
  static override summary = 'Retire the key of a context and put the next in its place';
  static override description =
    'What the old signing key has signed stays valid, and its private half is destroyed. Ledger keys are all kept: ' +
    'entries can only be recognised with the key that made them.';
  static override examples = ['<%= config.bin %> <%= command.id %> --reason "yearly" --yes'];
  static override flags = {
    ...consentFlags,
    ...whyFlags,
    for: Flags.option({ options: ['signing', 'ledger'] as const, default: 'signing' as const })({
      description: 'which key',
    }),
  };

  async perform(): Promise<Outcome> {
    const { openEvidence, planRotation, rotateLedgerKey, rotateSigningKey } = await import(
      '../../../src/evidence/index.js'
    );
    const evidence = openEvidence(await this.context());
    const { for: purpose } = this.flags;
    const why = await this.why();
    return await this.change({
      plan: () => planRotation(evidence, purpose),
      show: (plan) => details({ context: plan.context, for: purpose, key: plan.kid, reason: why.because }),
      question: (plan) => `Rotate the ${purpose} key of ${plan.context}?`,
      apply: () => (purpose === 'ledger' ? rotateLedgerKey(evidence, why) : rotateSigningKey(evidence, why)),
      done: (made, plan) => ({
        result: { key: made.kid, before: plan.kid, for: purpose, recorded: made.recorded },
        view: text(`The ${purpose} key is ${made.kid} now.`, { mark: 'good' }),
        next: purpose === 'ledger' ? undefined : 'nestctl evidence key publish --to keys.json',
      }),
    });
  }
}
