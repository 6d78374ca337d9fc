import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, staffFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { sealStatusView } from '../../src/console/seal-views.js';
import { details, text } from '../../src/console/views.js';

export default class AuditSeal extends ConsoleCommand<typeof AuditSeal> {
  static override summary = 'Seal the audit log: a leaf for every event, and a signed head of the tree';
  static override description =
    'Seals what is certain: the events of every transaction before the oldest that is still open. The head is signed ' +
    'with the key of the context, only if it continues what this console has seen, and carried to the object store ' +
    'where the context names one, with those that it has not got yet. No writer waits for it. --status tells how far it is and what holds it back.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --status',
  ];
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    status: Flags.boolean({ description: 'only tell how far it is, and what holds it back' }),
  };

  async perform(): Promise<Outcome> {
    const { sealAndCarry, sealStatus } = await import('../../src/audit/index.js');
    if (this.flags.status) {
      const status = await this.withSession(['sre', 'auditor', 'compliance', 'admin'], sealStatus);
      return { result: status, view: sealStatusView(status) };
    }
    const context = await this.context();
    const done = await this.withSession(['sre', 'admin'], (session) =>
      sealAndCarry(session, context, {
        signal: this.signal,
        onProgress: (size) => this.progress(`sealing: ${size} events`),
      }),
    );
    if (done.not_carried !== null)
      this.warning('not_carried', `Not carried, and tried again by the next run: ${done.not_carried}`);
    if (done.left_to_carry > 0)
      this.warning('left_to_carry', `${done.left_to_carry} checkpoints are still to be carried: seal again.`);
    return {
      result: done,
      view: [
        details({
          sealed: `${done.sealed} events`,
          tree: `${done.size} leaves`,
          root: done.root,
          checkpoint: new Date(done.made_at),
          'carried to': done.carried_to ?? undefined,
          carried: done.carried > 1 ? `${done.carried} checkpoints` : undefined,
        }),
        text(
          done.signed ? 'The head of the tree was signed.' : 'Nothing has changed since the last checkpoint.',
          { mark: 'good' },
        ),
      ],
      next: 'nestctl audit verify',
    };
  }
}
