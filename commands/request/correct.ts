import { correctionRecorded, correctionViews } from '../../src/console/correction-views.js';
import { Flags, requestArgs, textFlag, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { NestctlError } from '../../src/platform/errors.js';

export default class RequestCorrect extends GrantedWrite<typeof RequestCorrect> {
  static override summary =
    'Amend what a request for correction is about, or note that the person disagrees with it';
  static override description =
    'Only what the data map says is theirs, provided by somebody or seen, never inferred. What is amended and what stays are told to whoever has it from us (PIPEDA principles 4.9.5 and 4.9.6); they are named, and the request is fulfilled once each was: request notify.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --table children --row 7d0c… --column name --value Léa --reason "act of birth seen"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --table usage_logs --row 91ab… --column notes --disagrees "it was not so" --reason "the log of its author stays"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    table: textFlag({ description: 'the table, such as children', helpValue: 'TABLE', required: true }),
    row: uuidFlag({ description: 'the id of the row', required: true }),
    column: textFlag({ description: 'the column', helpValue: 'COLUMN', required: true }),
    value: textFlag({
      description: 'what it is to become',
      helpValue: 'VALUE',
      exclusive: ['clear', 'disagrees'],
    }),
    clear: Flags.boolean({ description: 'nothing is to stand there', exclusive: ['disagrees'] }),
    disagrees: textFlag({
      description: 'it stays; what the person says against it, in their words',
      helpValue: 'TEXT',
    }),
    note: textFlag({
      description: 'what showed that it was wrong',
      helpValue: 'TEXT',
      exclusive: ['disagrees'],
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { correct, planCorrection, readRequest } = await import('../../src/privacy/index.js');
    const { table, row, column } = this.flags;
    const how = this.#how();
    const { number } = this.args;
    return await this.withSession(['compliance'], async (session) => {
      const { user_id: id } = await readRequest(session, number);
      if (id !== null) await ensureAccess(session, { kind: 'user', id }, this.flags);
      return await this.change({
        plan: () =>
          planCorrection(session, {
            ...{ number, row, column, how },
            table: table.includes('.') ? table : `public.${table}`,
          }),
        show: correctionViews,
        question: ({ outcome, table: where }) =>
          outcome === 'amended' ? `Change ${column} of that row of ${where}?` : 'Note that they disagree?',
        apply: (plan) => correct(session, plan),
        done: correctionRecorded,
      });
    });
  }

  #how() {
    const { value, clear, disagrees, note } = this.flags;
    if (disagrees !== undefined) return { annotate: disagrees };
    if (value !== undefined || clear) return { amend: value ?? null, note };
    throw new NestctlError('Say what it is to become: --value, --clear, or --disagrees where it stays.', {
      kind: 'usage',
      code: 'usage',
      next: 'nestctl request correct --help',
    });
  }
}
