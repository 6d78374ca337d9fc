import { ConsoleCommand } from '../../src/console/base-command.js';
import { FINDING_COLUMNS, findingTable, findingTree, summarise } from '../../src/console/finding-views.js';
import { Flags, rowFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { sarifLog } from '../../src/console/sarif.js';

const several = { multiple: true, delimiter: ',' } as const;

export default class AccessLint extends ConsoleCommand<typeof AccessLint> {
  static override summary = "Check any database's row security against known mistakes";
  static override description =
    'Reads the catalogue of whatever database the context names, under your own login; no grant is needed. What is meant so is said in the comment of the object itself: "lint RULE: why". Exit code 3: something is wrong; 9: nothing is, but something could not be checked.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --schema public,api --role web_user --json',
    '<%= config.bin %> <%= command.id %> --skip unindexed_foreign_key',
    '<%= config.bin %> <%= command.id %> --format sarif --output lint.sarif',
  ];
  static override flags = {
    ...rowFlags(FINDING_COLUMNS, ['sarif']),
    schema: Flags.string({
      ...several,
      description: "only these schemas; all but the system's, the platform's and extensions' when absent",
    }),
    role: Flags.string({
      ...several,
      description: 'whom rows must be kept from: anon and authenticated when absent',
    }),
    rule: Flags.string({ ...several, description: 'only these rules', exclusive: ['skip'] }),
    skip: Flags.string({ ...several, description: 'all rules but these' }),
  };

  async perform(): Promise<Outcome> {
    const { lintAccess } = await import('../../src/access/index.js');
    const { schema, role, rule, skip } = this.flags;
    const { findings, rules } = await this.withConnection((connection) =>
      lintAccess(connection, { schemas: schema, roles: role, only: rule, skip }),
    );
    const shown = findings.map(({ meant, ...finding }) =>
      meant === null ? finding : { ...finding, level: 'ok' as const, detail: `meant so: ${meant}` },
    );
    const { verdict, line } = summarise(shown);
    return {
      result: { findings, rules: rules.map(({ name, about }) => ({ name, about })) },
      verdict,
      view: [findingTree(shown), line],
      rows: findingTable(shown),
      document: () => sarifLog({ version: this.config.version, rules, findings }),
    };
  }
}
