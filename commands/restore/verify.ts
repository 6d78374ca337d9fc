import * as Args from '@oclif/core/args';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { FINDING_COLUMNS, findingTable, findingTree, summarise } from '../../src/console/finding-views.js';
import { rowFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class RestoreVerify extends ConsoleCommand<typeof RestoreVerify> {
  static override summary =
    'Whether what was restored is sound: pages, indexes, catalogue, row security, sequences';
  static override description =
    'Reads every page through its checksum and every index against its table (amcheck, made in the copy), compares the catalogue with what the last migration left, and runs the rules of access lint. Exit code 3: something is wrong; 9: nothing is, but something could not be found out: whether people who were erased are back is that until they are replayed.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> 20261201-114500 --json',
  ];
  static override args = {
    restore: Args.string({ description: 'as restore status names it; the newest when absent' }),
  };
  static override flags = rowFlags(FINDING_COLUMNS);

  async perform(): Promise<Outcome> {
    const { findRestore, verifyRestore } = await import('../../src/recovery/index.js');
    const restore = await findRestore(this.args.restore);
    const findings = await verifyRestore(restore, {
      signal: this.signal,
      tell: this.progress,
      onRelation: (done, total, name) =>
        this.counted({ what: 'tables and indexes', done, total, detail: name }),
    });
    const { verdict, line, next } = summarise(findings);
    return {
      result: { restore: restore.id, findings },
      verdict,
      view: [findingTree(findings), line],
      rows: findingTable(findings),
      next: next ?? `nestctl restore discard ${restore.id}`,
    };
  }
}
