import { ConsoleCommand } from '../../src/console/base-command.js';
import { Args, argParser, staffFlags, textFlag, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class AuditProof extends ConsoleCommand<typeof AuditProof> {
  static override summary = 'Prove that an event is in the sealed log, to somebody without the database';
  static override description =
    'Writes a small file in the C2SP format tlog-proof: the leaf, the way to the signed head, and the head. It holds ' +
    'who, when, which table and which request, and of the contents only salted hashes. bin/verify.js checks it with ' +
    'the public keys alone.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 184467 --file event-184467.tlog-proof',
    '<%= config.bin %> <%= command.id %> 184467 --json',
  ];
  static override args = {
    event: Args.string({
      required: true,
      description: 'its number',
      parse: argParser((input) => {
        if (!/^[0-9]{1,18}$/.test(input)) throw new Error(`"${input}" is not the number of an event`);
        return input;
      }),
    }),
  };
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    file: textFlag({
      description: 'write the proof there; EVENT.tlog-proof when absent',
      helpValue: 'FILE',
    }),
  };

  async perform(): Promise<Outcome> {
    const { proveEvent, writeProof } = await import('../../src/audit/index.js');
    const { openEvidence } = await import('../../src/evidence/index.js');
    const { event } = this.args;
    const evidence = openEvidence(await this.context());
    const receipt = await this.withSession(['sre', 'auditor', 'compliance', 'admin', 'support'], (session) =>
      proveEvent(session, evidence, event),
    );
    const path = await writeProof(this.flags.file ?? `${event}.tlog-proof`, receipt.proof);
    return {
      result: { ...receipt, file: path },
      view: [
        details({
          event,
          leaf: `${receipt.index} of ${receipt.size}`,
          'signed head': new Date(receipt.made_at),
          file: path,
        }),
        text('It verifies with the public keys alone.', { mark: 'good' }),
      ],
      next: `node bin/verify.js --keys KEYS.json ${path}`,
    };
  }
}
