import { ConsoleCommand } from '../../src/console/base-command.js';
import { listFlags, serverFlags, staffFlags, textFlag, uuidFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { type Column, table, toned } from '../../src/console/views.js';
import type { FamilyRow, FamilySort } from '../../src/families/index.js';

const COLUMNS: readonly Column<FamilyRow, FamilySort>[] = [
  { name: 'id', value: (family) => family.id },
  {
    name: 'name',
    value: (family) => (family.masked ? toned('muted', family.name) : family.name),
    keep: true,
    sort: 'name',
  },
  { name: 'type', value: (family) => family.family_type, sort: 'type' },
  { name: 'province', value: (family) => family.province, sort: 'province' },
  { name: 'members', value: (family) => family.members, align: 'right', sort: 'members' },
  { name: 'status', value: (family) => family.status, sort: 'status' },
  {
    name: 'contacts',
    value: (family) => family.contacts?.join(', '),
    raw: (family) => family.contacts,
  },
  { name: 'masked', value: (family) => family.masked, extra: true },
];

export default class FamilyList extends ConsoleCommand<typeof FamilyList> {
  static override summary =
    'List families: those your grants open, or by name, member e-mail or id from the directory';
  static override description =
    'Without a grant that covers them, families come from the directory: masked, ten at a time, each lookup recorded.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --name Tremblay --reason "caller knows only the name" --ticket SUP-1234',
    '<%= config.bin %> <%= command.id %> --email gran@example.ca --json',
    '<%= config.bin %> <%= command.id %> --sort members:desc --format csv --output families.csv',
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...listFlags({ columns: COLUMNS, default: 20, max: 500 }),
    name: textFlag({ description: 'how its name begins, three letters or more', exclusive: ['email', 'id'] }),
    email: textFlag({ description: "a member's whole e-mail address", exclusive: ['name', 'id'] }),
    id: uuidFlag({ description: 'its id', exclusive: ['name', 'email'] }),
  };

  async perform(): Promise<Outcome> {
    const { findFamilies } = await import('../../src/access/index.js');
    const { name, email, id, limit, cursor, sort, reason, ticket } = this.flags;
    const page = await this.withReads(['support', 'compliance', 'admin'], (session, read) =>
      findFamilies(session, { name, email, id, limit, cursor, sort }, { reason, ticket }, read),
    );
    return {
      result: { families: page.families },
      nextCursor: page.nextCursor,
      view: table(page.families, COLUMNS, 'No family matches.'),
    };
  }
}
