import { ConsoleCommand } from '../../src/console/base-command.js';
import { FINDING_COLUMNS, findingTable, findingTree, summarise } from '../../src/console/finding-views.js';
import { Args, rowFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class ContextCheck extends ConsoleCommand<typeof ContextCheck> {
  static override summary =
    'Try every part of a context: connections, passwords, TLS, object store, mail server, keys';
  static override description =
    'Nothing is written anywhere. Exit code 3: something is wrong; 9: nothing is, but something could not be checked.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> production --json',
  ];
  static override flags = rowFlags(FINDING_COLUMNS);
  static override args = { name: Args.string({ description: 'the context; the chosen one when absent' }) };

  async perform(): Promise<Outcome> {
    const { resolveContext } = await import('../../src/platform/config/contexts.js');
    const { checkContext } = await import('../../src/platform/context-check/index.js');
    const context = await resolveContext(this.args.name ?? this.flags.context);
    const findings = await checkContext(context, (part) => this.verbose(`trying ${part}`));
    const { verdict, line, next } = summarise(findings);
    return {
      result: { name: context.name, findings },
      verdict,
      view: [findingTree(findings), line],
      rows: findingTable(findings),
      next,
    };
  }
}
