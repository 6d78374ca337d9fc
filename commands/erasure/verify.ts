import { ConsoleCommand } from '../../src/console/base-command.js';
import { erasureDetails, erasureOutcome, FOUND_COLUMNS } from '../../src/console/erasure-run-views.js';
import { erasureArgs, rowFlags, textFlag, writeFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class ErasureVerify extends ConsoleCommand<typeof ErasureVerify> {
  static override summary = 'Look for whatever is left of an erased person, in every column of every schema';
  static override description =
    'By their ids, addresses, telephone numbers, names, devices and customer numbers, however they are written, declared in the data map or not, in what the planner remembers too. Tells places, never values, and keeps them with the erasure. A name in what somebody wrote may be somebody else’s: whoever has looked says so with --looked-at, which is kept with their reason. Exit code 9: something is left, or could not be read; 8: nothing is, and archives or others outside have still to follow.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --reason "after the notes were emptied" --yes',
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --looked-at public.usage_logs.notes --reason "another Emma, her cousin"',
  ];
  static override args = erasureArgs;
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    ...rowFlags(FOUND_COLUMNS),
    'looked-at': textFlag({
      description:
        'a place of which somebody has seen that nothing there is theirs, as this command names it',
      helpValue: 'SCHEMA.TABLE.COLUMN',
      multiple: true,
    }),
  };

  async perform(): Promise<Outcome> {
    const { proveErasure, readErasure, readOutside } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    const { 'looked-at': lookedAt = [] } = this.flags;
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => readErasure(session, number),
        show: erasureDetails,
        apply: async () => {
          this.progress('looking for what is left');
          const erasure = await proveErasure(session, number, lookedAt);
          return { erasure, outside: await readOutside(session, number) };
        },
        done: ({ erasure, outside }) => erasureOutcome(erasure, outside),
      }),
    );
  }
}
