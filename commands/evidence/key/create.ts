import { ConsoleCommand } from '../../../src/console/base-command.js';
import { Flags, textFlag } from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { text } from '../../../src/console/views.js';

export default class EvidenceKeyCreate extends ConsoleCommand<typeof EvidenceKeyCreate> {
  static override summary = 'Make the signing key of a context, or the key of its ledgers';
  static override description =
    'The private key goes to a file readable by you only and is never shown; one that is there is never overwritten. ' +
    'Where the context names a command for its key, what it prints is taken into the key set.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --for ledger',
  ];
  static override flags = {
    for: Flags.option({ options: ['signing', 'ledger'] as const, default: 'signing' as const })({
      description: 'Ed25519 to sign evidence, or HMAC to hide identifiers in ledgers',
    }),
    reason: textFlag({ description: 'why; it is kept with the key', env: 'NESTCTL_REASON' }),
  };

  async perform(): Promise<Outcome> {
    const { createLedgerKey, createSigningKey, openEvidence } = await import(
      '../../../src/evidence/index.js'
    );
    const evidence = openEvidence(await this.context());
    const { for: purpose, reason } = this.flags;
    const made =
      purpose === 'ledger' ? await createLedgerKey(evidence) : await createSigningKey(evidence, reason);
    return {
      result: { key: made.kid, for: purpose, recorded: made.recorded },
      view: text(`The ${purpose} key is ${made.kid}.`, { mark: 'good' }),
      next: purpose === 'ledger' ? undefined : 'nestctl evidence key publish --to keys.json',
    };
  }
}
