import { ConsoleCommand } from '../../../src/console/base-command.js';
import { Flags, textFlag } from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { details, table, toned } from '../../../src/console/views.js';

export default class EvidenceKeyPublish extends ConsoleCommand<typeof EvidenceKeyPublish> {
  static override summary = 'Show the public keys, or write the key set that verifiers need';
  static override description =
    'Give the file to whoever verifies, and again after each change of keys. Tell them the fingerprint by another way, ' +
    'such as the telephone: it stands for all that they will believe because of the file.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --to keys.json',
    '<%= config.bin %> <%= command.id %> --with-imported --to keys-of-all.json',
  ];
  static override flags = {
    to: textFlag({ description: 'write the key set to this file', helpValue: 'FILE' }),
    'with-imported': Flags.boolean({
      description: 'with the keys of others that you trust, for chains that several people write',
    }),
  };

  async perform(): Promise<Outcome> {
    const { fingerprint, loadImported, openEvidence, publishKeys } = await import(
      '../../../src/evidence/index.js'
    );
    const evidence = openEvidence(await this.context());
    const { to, 'with-imported': imported } = this.flags;
    const { keys } = await publishKeys(evidence, to, { imported });
    const owners = new Map((await loadImported(evidence.places)).map(({ kid, owner }) => [kid, owner]));
    const told = keys.length === 0 ? null : fingerprint(keys);
    return {
      result: { keys, fingerprint: told, file: to ?? null },
      view: [
        table(
          keys,
          [
            { name: 'key', value: ({ kid }) => kid },
            {
              name: 'state',
              keep: true,
              value: ({ retired_at, stolen_since }) =>
                stolen_since !== undefined
                  ? toned('bad', 'stolen')
                  : retired_at !== undefined
                    ? toned('muted', 'retired')
                    : toned('good', 'active'),
            },
            { name: 'valid from', value: (key) => new Date(key.valid_from) },
            { name: 'retired', value: ({ retired_at }) => retired_at && new Date(retired_at) },
            { name: 'stolen since', value: ({ stolen_since }) => stolen_since && new Date(stolen_since) },
            ...(imported ? [{ name: 'of', value: ({ kid }: { kid: string }) => owners.get(kid) }] : []),
          ],
          'There is no key yet.',
        ),
        ...(told === null ? [] : [details({ fingerprint: told, file: to })]),
      ],
    };
  }
}
