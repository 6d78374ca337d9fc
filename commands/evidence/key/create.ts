import { ConsoleCommand } from '../../../src/console/base-command.js';
import { Flags, whyFlags } from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { details, text } from '../../../src/console/views.js';

export default class EvidenceKeyCreate extends ConsoleCommand<typeof EvidenceKeyCreate> {
  static override summary = 'Make the signing key of a context, or the key of its ledgers';
  static override description =
    'The private key goes to a file readable by you only and is never shown; one that is there is never overwritten. ' +
    'Where the context names a command for its key, what it prints is taken into the key set.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --reason "first key of production" --ticket OPS-12',
    '<%= config.bin %> <%= command.id %> --for ledger --reason "erasures begin" --ticket OPS-13',
  ];
  static override flags = {
    ...whyFlags,
    for: Flags.option({ options: ['signing', 'ledger'] as const, default: 'signing' as const })({
      description: 'Ed25519 to sign evidence, or HMAC to hide identifiers in ledgers',
    }),
  };

  async perform(): Promise<Outcome> {
    const { createLedgerKey, createSigningKey, openEvidence, planKey } = await import(
      '../../../src/evidence/index.js'
    );
    const evidence = openEvidence(await this.context());
    const { for: purpose } = this.flags;
    const why = await this.why();
    return await this.change({
      plan: () => planKey(evidence, purpose),
      show: ({ context, kept }) => details({ context, for: purpose, kept, reason: why.because }),
      apply: () => (purpose === 'ledger' ? createLedgerKey(evidence, why) : createSigningKey(evidence, why)),
      done: ({ kid, recorded }) => ({
        result: { key: kid, for: purpose, recorded },
        view: [
          text(`The ${purpose} key is ${kid}.`, { mark: 'good' }),
          ...(recorded ? [] : [text('It goes on record with the first signing key.', { mark: 'warn' })]),
        ],
        next: purpose === 'ledger' ? undefined : 'nestctl evidence key publish --to keys.json',
      }),
    });
  }
}
