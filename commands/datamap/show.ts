import { ConsoleCommand } from '../../src/console/base-command.js';
import { rowFlags, staffFlags, textFlag } from '../../src/console/flags/index.js';
import { ANSWER_COLUMNS, answerTable, mapTable, pathViews } from '../../src/console/map-views.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class DatamapShow extends ConsoleCommand<typeof DatamapShow> {
  static override summary = 'What is kept, of whom and why: the data map, table by table or one table whole';
  static override description =
    'Every column of every table answers whose it is, where it came from, what for, how long, what erasing the person does to it and whether an export holds it. The map holds no personal data; it changes only by migration.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --table usage_logs',
    '<%= config.bin %> <%= command.id %> --format csv --output datamap.csv',
  ];
  static override flags = {
    ...staffFlags,
    ...rowFlags(ANSWER_COLUMNS),
    table: textFlag({ description: 'only this table, with its columns and paths', helpValue: 'NAME' }),
  };

  async perform(): Promise<Outcome> {
    const { showMap } = await import('../../src/privacy/index.js');
    const { table } = this.flags;
    const map = await this.withSession(['compliance', 'sre', 'admin'], (session) =>
      showMap(session, { table }),
    );
    const rows = answerTable(map.answers);
    return {
      result: map,
      view: table === undefined ? mapTable(map.answers) : [rows, ...pathViews(map.paths)],
      rows,
    };
  }
}
