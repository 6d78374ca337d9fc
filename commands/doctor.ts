import { ConsoleCommand } from '../src/console/base-command.js';
import { findingTree } from '../src/console/finding-views.js';
import type { Outcome } from '../src/console/outcome.js';
import { text } from '../src/console/views.js';

export default class Doctor extends ConsoleCommand<typeof Doctor> {
  static override summary = 'Examine connection, duties, migrations, row security, audit and archiving';
  static override description =
    'What is wrong comes first, each with what mends it. Exit code 3: something is wrong; 9: nothing is, but something could not be checked.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ];

  async perform(): Promise<Outcome> {
    const { examine } = await import('../src/platform/doctor/index.js');
    const { owner } = await this.context();
    const findings = await examine(
      await this.operatorTarget(),
      owner === undefined ? undefined : await this.ownerTarget(),
      this.verbose,
    );
    const wrong = findings.filter(({ level }) => level === 'error' || level === 'warning');
    const unknown = findings.filter(({ level }) => level === 'unknown');
    const couldNot = unknown.length === 0 ? '' : ` ${unknown.length} could not be checked.`;
    const summary =
      wrong.length > 0
        ? text(`${wrong.length} ${wrong.length === 1 ? 'thing is' : 'things are'} wrong.${couldNot}`, {
            mark: 'bad',
          })
        : unknown.length > 0
          ? text(`Nothing wrong was found, but${couldNot}`, { mark: 'unknown' })
          : text('All is well.', { mark: 'good' });
    return {
      result: { findings },
      verdict: wrong.length > 0 ? 'finding' : unknown.length > 0 ? 'partial' : undefined,
      view: [findingTree(findings), summary],
      next: wrong.find(({ remedy }) => remedy?.startsWith('nestctl '))?.remedy ?? undefined,
    };
  }
}
