import { ConsoleCommand } from '../../../src/console/base-command.js';
import { textFlag } from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { table, text, toned } from '../../../src/console/views.js';

export default class EvidenceKeyPublish extends ConsoleCommand<typeof EvidenceKeyPublish> {
  static override summary = 'Show the public keys, or write the key set that verifiers need';
  static override description =
    'Give the file to whoever verifies, by a way that they trust, and again after each change of keys.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --to keys.json',
  ];
  static override flags = {
    to: textFlag({ description: 'write the key set to this file', helpValue: 'FILE' }),
  };

  async perform(): Promise<Outcome> {
    const { openEvidence, publishKeys } = await import('../../../src/evidence/index.js');
    const { to } = this.flags;
    const { keys } = await publishKeys(openEvidence(await this.context()), to);
    return {
      result: { keys, file: to ?? null },
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
          ],
          'There is no key yet.',
        ),
        ...(to === undefined ? [] : [text(`Written to ${to}.`, { mark: 'good' })]),
      ],
    };
  }
}
