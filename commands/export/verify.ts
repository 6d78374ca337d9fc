import { Args } from '@oclif/core';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { closedOutcome, packageOutcome, whyNot } from '../../src/console/encrypted-outcome.js';
import { openingOf } from '../../src/console/encryption.js';
import { openingFlags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { NestctlError } from '../../src/platform/errors.js';

export default class ExportVerify extends ConsoleCommand<typeof ExportVerify> {
  static override summary = "Verify a person's package: every byte as it was signed";
  static override description =
    'Offline, with the keys of the context and those that were imported, or with --keys a published key set alone; no database; each file in it is held against its manifest too. An encrypted package is verified as it is decrypted, every byte by its signature, by --identity or the passphrase, and nothing of it is written. Without either its bytes are compared with what the database has on record, and what it holds is not looked at. Exit code 3: it is not what was signed; 9: it was signed with a key that was stolen since, or not all of it was looked at.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> package.zip',
    '<%= config.bin %> <%= command.id %> package.zip --keys keys.json',
    '<%= config.bin %> <%= command.id %> package.zip.age --identity key.txt',
  ];
  static override args = { file: Args.string({ required: true, description: 'the package' }) };
  static override flags = {
    ...openingFlags,
    keys: textFlag({
      description: "verify with this published key set, not the context's own",
      helpValue: 'FILE',
    }),
  };

  async perform(): Promise<Outcome> {
    const { openEvidence, readKeySet, verifyingKeys, verifyPackage } = await import(
      '../../src/evidence/index.js'
    );
    const { encryptionOf } = await import('../../src/platform/age-head.js');
    const { recordedFile, verifyEncrypted } = await import('../../src/privacy/index.js');
    const { file } = this.args;
    const { keys, identity } = this.flags;
    const keySet =
      keys === undefined
        ? await verifyingKeys(openEvidence(await this.context()).places)
        : await readKeySet(keys);
    if ((await encryptionOf(file)) === undefined) {
      const judged = await verifyPackage(file, keySet);
      return packageOutcome(judged ?? { refused: { kind: 'edited', detail: 'it is no package' } });
    }
    const opening = await openingOf(this.flags, this.jsonWanted);
    const judged = opening === undefined ? 'closed' : await verifyEncrypted(file, opening, keySet);
    if (judged !== 'closed') return packageOutcome(judged);
    const recorded =
      keys === undefined
        ? await this.withSession(['compliance', 'auditor'], (session) =>
            recordedFile(session, file, keySet),
          ).catch(whyNot)
        : new NestctlError('With --keys no database is asked.', { kind: 'partial' });
    const tried = identity === undefined ? ('passphrase' as const) : ('key' as const);
    return closedOutcome(file, recorded, opening === undefined ? undefined : tried);
  }
}
