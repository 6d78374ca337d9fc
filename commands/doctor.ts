import { ConsoleCommand } from '../src/console/base-command.js';
import type { Outcome } from '../src/console/outcome.js';
import { type Mark, text, tree } from '../src/console/views.js';

const MARKS: Readonly<Record<string, Mark>> = {
  ok: 'good',
  info: 'none',
  unknown: 'unknown',
  warning: 'warn',
  error: 'bad',
};

export default class Doctor extends ConsoleCommand<typeof Doctor> {
  static override summary = 'Examine connection, duties, migrations, row security, audit and archiving';
  static override description =
    'Each finding names the command that mends it. Exit code 3: something is wrong; 9: nothing is, but something could not be checked.';
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
    const summary =
      wrong.length > 0
        ? text(`${wrong.length} ${wrong.length === 1 ? 'thing is' : 'things are'} wrong.`, { mark: 'bad' })
        : unknown.length > 0
          ? text(`Nothing wrong was found, but ${unknown.length} could not be checked.`, { mark: 'unknown' })
          : text('All is well.', { mark: 'good' });
    return {
      result: { findings },
      verdict: wrong.length > 0 ? 'finding' : unknown.length > 0 ? 'partial' : undefined,
      view: [
        tree(
          ...findings.map(({ name, level, object, detail, remedy }) => ({
            text: object === null ? `${name}: ${detail}` : `${name}: ${object}: ${detail}`,
            mark: MARKS[level] ?? 'none',
            ...(remedy === null ? {} : { children: [{ text: `mend: ${remedy}` }] }),
          })),
        ),
        summary,
      ],
    };
  }
}
