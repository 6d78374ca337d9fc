import { ConsoleCommand } from '../../src/console/base-command.js';
import { Args, countFlag, Flags, personFlag, rowFormats, writeFlags } from '../../src/console/flags/index.js';
import { impersonationTable, writePlanViews } from '../../src/console/impersonation-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class AccessImpersonate extends ConsoleCommand<typeof AccessImpersonate> {
  static override summary = 'Run one query as a person, and see what they see';
  static override description =
    `In a read-only transaction, as the database would run it for them in the app; under an impersonation grant, for the duty admin. The statement is on record before it runs: operator, person, text.

With --write an INSERT, UPDATE or DELETE is tried first and undone: how many rows it touches, cascades and triggers among them, and how many the person could change. It is refused where it touches more than --rows, and where it then touches other than was shown.

One SELECT, INSERT, UPDATE or DELETE at a time, which calls no function that could leave the person.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --user gran@example.ca --reason "Grandma cannot see the log" --ticket SUP-1234 -- "table usage_logs"',
    `<%= config.bin %> <%= command.id %> --user gran@example.ca --write --rows 1 -- "$(cat correction.sql)"`,
  ];
  static override args = {
    query: Args.string({ required: true, description: 'one statement, after two dashes' }),
  };
  static override flags = {
    ...writeFlags,
    ...rowFormats(),
    user: personFlag({ description: 'the person', required: true }),
    limit: countFlag({ description: 'rows to show at most', default: 100, max: 10_000 }),
    write: Flags.boolean({ description: 'let it change rows' }),
    rows: countFlag({
      description: 'the most rows it may touch; 1 when absent',
      dependsOn: ['write'],
      max: 10_000,
    }),
    outward: Flags.boolean({
      description: 'although triggers call out of the database, even to count',
      dependsOn: ['write'],
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  protected override get purposeFromGrant(): boolean {
    return true;
  }

  async perform(): Promise<Outcome> {
    return this.flags.write ? await this.#write() : await this.#read();
  }

  async #read(): Promise<Outcome> {
    const { readAsPerson } = await import('../../src/access/index.js');
    const { user, limit } = this.flags;
    const { person, columns, rows, more } = await this.withSession(['admin'], (session) =>
      readAsPerson(session, { user, limit, statement: this.args.query }, this.flags),
    );
    if (more) this.warning('more_rows', `There are more than ${limit} rows: --limit shows more.`);
    const view = impersonationTable(columns, rows, 'They see no row.');
    return { result: { person, columns, rows: view.objects, more }, view: view.table };
  }

  async #write(): Promise<Outcome> {
    const { planWriteAsPerson, totalOf, writeAsPerson } = await import('../../src/access/index.js');
    const { user, rows = 1, outward } = this.flags;
    return await this.withSession(['admin'], (session) =>
      this.change({
        plan: () =>
          planWriteAsPerson(session, { user, rows, outward, statement: this.args.query }, this.flags),
        show: (plan) => writePlanViews(user, plan),
        question: (plan) => `Touch ${totalOf(plan)} rows as ${user}?`,
        apply: (plan) => writeAsPerson(session, plan),
        done: ({ columns, returned, ...done }) => {
          const view = impersonationTable(columns, returned, `Done: ${done.command} on ${done.table}.`);
          return { result: { ...done, returned: view.objects }, view: view.table };
        },
      }),
    );
  }
}
