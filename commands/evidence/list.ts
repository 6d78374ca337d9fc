import { ConsoleCommand } from '../../src/console/base-command.js';
import { listFlags, textFlag, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import type { ListedRecord } from '../../src/evidence/index.js';

const COLUMNS: readonly Column<ListedRecord>[] = [
  { name: 'record', value: ({ id }) => id },
  {
    name: 'type',
    value: ({ record }) => record?.type ?? toned('bad', 'damaged'),
    raw: ({ record }) => record?.type,
    keep: true,
  },
  { name: 'made', value: ({ record }) => record && new Date(record.made_at) },
  { name: 'by', value: ({ record }) => record?.made_by },
  {
    name: 'about',
    value: ({ record }) => record?.subject.map(({ name }) => name).join(', '),
    raw: ({ record }) => record?.subject.map(({ name }) => name),
  },
  { name: 'damaged', value: ({ record }) => record === null, extra: true },
  { name: 'key', value: ({ kid }) => kid, extra: true },
  { name: 'sha256', value: ({ hash }) => hash, extra: true },
];

export default class EvidenceList extends ConsoleCommand<typeof EvidenceList> {
  static override summary = 'List signed records, the newest first';
  static override description = 'What records say of themselves; whether it is true tells evidence verify.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --chain keys --limit 5',
  ];
  static override flags = {
    ...zoneFlags,
    ...listFlags({ columns: COLUMNS, default: 50, max: 1000 }),
    chain: textFlag({ description: 'only this chain' }),
    type: textFlag({ description: 'only records of this type' }),
  };

  async perform(): Promise<Outcome> {
    const { listRecords, openEvidence } = await import('../../src/evidence/index.js');
    const evidence = openEvidence(await this.context());
    const page = await listRecords(evidence, this.flags);
    return {
      result: {
        records: page.records.map(({ id, record, kid, hash }) => ({
          id,
          ...(record ?? {}),
          damaged: record === null,
          key: kid,
          sha256: hash,
        })),
      },
      nextCursor: page.nextCursor,
      view: table(page.records, COLUMNS, 'There is no evidence yet.'),
      next: 'nestctl evidence verify',
    };
  }
}
