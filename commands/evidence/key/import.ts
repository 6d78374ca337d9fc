import { ConsoleCommand } from '../../../src/console/base-command.js';
import { confirmName } from '../../../src/console/confirm-name.js';
import { Args, textFlag, whyFlags } from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { details, text } from '../../../src/console/views.js';

export default class EvidenceKeyImport extends ConsoleCommand<typeof EvidenceKeyImport> {
  static override summary = "Trust another operator's public keys, so that what they signed verifies here";
  static override description =
    'FILE is what evidence key publish wrote on their machine. Ask them for its fingerprint by another way than the file ' +
    'came by, and confirm it. Import again after each change of their keys: what is known against a key never gets less.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> alex-keys.json --owner alex.tremblay --reason "shares our evidence" --dry-run',
    '<%= config.bin %> <%= command.id %> alex-keys.json --owner alex.tremblay --reason "shares our evidence" --confirm 1f0a-…',
  ];
  static override args = { file: Args.string({ required: true, description: 'the published key set' }) };
  static override flags = {
    ...whyFlags,
    owner: textFlag({ description: 'whose keys they are', helpValue: 'NAME', required: true }),
    confirm: textFlag({
      description: 'consent: the fingerprint its owner told you',
      helpValue: 'FINGERPRINT',
    }),
  };

  async perform(): Promise<Outcome> {
    const { importKeys, openEvidence, planImport } = await import('../../../src/evidence/index.js');
    const evidence = openEvidence(await this.context());
    const { owner, confirm } = this.flags;
    const why = await this.why();
    return await this.change({
      plan: () => planImport(evidence, this.args.file, owner),
      show: (plan) =>
        details({
          fingerprint: plan.fingerprint,
          owner,
          context: evidence.context,
          'new keys': plan.new.join(', ') || 'none',
          'changed keys': plan.changed.join(', ') || 'none',
        }),
      apply: async (plan) => {
        await confirmName({
          name: plan.fingerprint,
          warning: `What is signed with these keys will verify here as ${owner}'s.`,
          given: confirm,
          json: this.jsonWanted,
          next: `nestctl evidence key import FILE --owner ${owner} --reason '…' --confirm FINGERPRINT`,
        });
        return await importKeys(evidence, plan, why);
      },
      done: ({ imported, recorded }, plan) => ({
        result: { imported, owner, fingerprint: plan.fingerprint, recorded },
        view: [
          text(
            imported.length === 0
              ? 'All of these keys were trusted already.'
              : `${imported.length === 1 ? 'The key' : `The ${imported.length} keys`} of ${owner} can be verified with now.`,
            { mark: 'good' },
          ),
          ...(recorded ? [] : [text('It goes on record with the next signing key.', { mark: 'warn' })]),
        ],
        next: 'nestctl evidence verify',
      }),
    });
  }
}
