import { ConsoleCommand } from '../../src/console/base-command.js';
import { FINDING_COLUMNS, findingTable, findingTree, summarise } from '../../src/console/finding-views.js';
import { countFlag, rowFlags, staffFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class DatamapCheck extends ConsoleCommand<typeof DatamapCheck> {
  static override summary = 'Check that every column of every table answers in the data map';
  static override description =
    'Holds the map against the live catalogue: columns without an answer, answers that name nothing, foreign keys that no path takes, people whom no path reaches, and what erasure or export cannot do as it says. With --sample also personal data in text and JSON where the map knows of none: rows of every table are looked into by the database, which tells counts and never a value. Exit code 3: something is wrong; 9: nothing is, but something could not be checked.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --sample 1000',
    '<%= config.bin %> <%= command.id %> --duty sre --json',
  ];
  static override flags = {
    ...staffFlags,
    ...rowFlags(FINDING_COLUMNS),
    sample: countFlag({
      description: 'rows of every table to look into for hidden personal data',
      max: 1_000_000,
    }),
  };

  async perform(): Promise<Outcome> {
    const { checkMap, SAMPLE_RULE, sampleColumns } = await import('../../src/privacy/index.js');
    const { sample } = this.flags;
    const { findings, rules } = await this.withSession(['compliance', 'sre', 'admin'], async (session) => {
      const check = await checkMap(session);
      if (sample === undefined) return check;
      this.progress('looking into samples of every table');
      const hidden = await sampleColumns(session, sample, this.counted);
      return { findings: [...check.findings, ...hidden], rules: [...check.rules, SAMPLE_RULE] };
    });
    const { verdict, line } = summarise(findings);
    return {
      result: { findings, rules: rules.map(({ name, about }) => ({ name, about })) },
      verdict,
      view: [findingTree(findings), line],
      rows: findingTable(findings),
    };
  }
}
