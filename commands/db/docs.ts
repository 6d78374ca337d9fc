import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { table, text } from '../../src/console/views.js';

export default class DbDocs extends ConsoleCommand<typeof DbDocs> {
  static override summary = 'Write schema, policies, indexes, constraints and migrations as Markdown';
  static override description =
    'From the live catalogue into sql/docs, the same on every supported PostgreSQL. Exit code 3 with --check: ' +
    'some are out of date.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --check',
  ];
  static override flags = { check: Flags.boolean({ description: 'only say which are out of date' }) };

  async perform(): Promise<Outcome> {
    const { readDocuments, staleDocuments, writeDocuments } = await import(
      '../../src/platform/migrations/index.js'
    );
    const documents = await this.withOwner(readDocuments);
    const stale = await staleDocuments(documents);
    if (!this.flags.check) await writeDocuments(documents);
    const state = this.flags.check ? 'out of date' : 'written';
    return {
      result: { [this.flags.check ? 'stale' : 'written']: stale },
      view:
        stale.length === 0
          ? text(`All ${documents.size} documents in sql/docs are up to date.`, { mark: 'good' })
          : table(stale, [{ name: state, value: (name) => `sql/docs/${name}` }], ''),
      verdict: this.flags.check && stale.length > 0 ? 'finding' : undefined,
      ...(this.flags.check && stale.length > 0 ? { next: 'nestctl db docs' } : {}),
    };
  }
}
