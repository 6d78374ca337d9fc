import type { ExplainWish, Explanation } from '../../src/access/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { explanationViews } from '../../src/console/explanation-views.js';
import {
  Flags,
  jsonObjectFlag,
  pastInstant,
  staffFlags,
  textFlag,
  uuidFlag,
  zoneFlags,
  zoneOf,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { NestctlError } from '../../src/platform/errors.js';

export default class AccessExplain extends ConsoleCommand<typeof AccessExplain> {
  static override summary = 'Explain why somebody may or may not see or change a row, and what would mend it';
  static override description =
    `Every right and every policy that decides, condition by condition, evaluated by the database at this moment for that person and that row; the smallest missing fact, and the command that mends it. The question is on record before it is answered. No value of the row is shown.

Without --row the rows are counted: how many there are, for how many they may, and which condition cuts the most. With --at it is answered for a past moment, from the audit log and the snapshots of the catalogue. With --try it is also run as the person and undone, under an impersonation grant of the duty admin.

With --role any table of any database is explained for that role and --claims, under your own login and without a duty: it must see the row and be a member of the role, and nothing is recorded but by that database.

Denied is an answer too: exit code 0. Exit code 9 where something could not be evaluated.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --user gran@example.ca --table usage_logs --row 5c1e0c1e-… --reason "Grandma cannot see the log" --ticket SUP-1234',
    `<%= config.bin %> <%= command.id %> --user gran@example.ca --table usage_logs --row 5c1e0c1e-… --command update --values '{"notes":"x"}'`,
    '<%= config.bin %> <%= command.id %> --user gran@example.ca --table usage_logs --row 5c1e0c1e-… --at "last tuesday 14:00"',
    `<%= config.bin %> <%= command.id %> --role web --claims '{"sub":"42"}' --table shop.orders --row 17`,
  ];
  static override flags = {
    ...staffFlags,
    user: textFlag({
      description: 'the person: id or whole e-mail address',
      helpValue: 'USER',
      exclusive: ['role'],
    }),
    role: textFlag({
      description: 'a role of the database, in place of a person',
      helpValue: 'ROLE',
    }),
    claims: jsonObjectFlag({ description: 'its request.jwt.claims, with --role', dependsOn: ['role'] }),
    table: textFlag({
      description: 'the table; outside public with its schema',
      required: true,
      helpValue: 'TABLE',
    }),
    row: textFlag({
      description: 'the row: its id, or its whole key as a JSON object',
      helpValue: 'ID|JSON',
    }),
    command: Flags.option({ options: ['select', 'insert', 'update', 'delete'] as const })({
      description: 'what they try',
      default: 'select',
    }),
    values: jsonObjectFlag({
      description: 'columns and values: of the new row for insert, what changes for update',
    }),
    returning: Flags.boolean({ description: 'for insert: the row is asked back, as most clients do' }),
    family: uuidFlag({
      description: 'the family of the complaint, where they are no member of it',
      exclusive: ['role'],
    }),
    at: textFlag({
      description: 'a past moment: 3d, 2026-11-17T14:00, "last tuesday 14:00"',
      helpValue: 'TIME',
      exclusive: ['role', 'try'],
    }),
    try: Flags.boolean({
      description: 'also run it as the person, and undo it',
      exclusive: ['role'],
    }),
    ...zoneFlags,
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  protected override wanted(): string[] {
    return this.flags.role === undefined ? ['user'] : [];
  }

  async perform(): Promise<Outcome> {
    const { explainAsRole, loadParser } = await import('../../src/access/index.js');
    // While the connection is made; what goes wrong with it is told where it is used.
    loadParser().catch(() => undefined);
    const { user, role, claims, table, row, command, values, returning } = this.flags;
    if (user === undefined && role === undefined) throw nobodyNamed();
    const asked = { table, row, command, values, reads: returning || command !== 'insert' };
    const explanation =
      role === undefined
        ? await this.#ofPerson({ ...asked, user: user ?? '' })
        : await this.withConnection((connection) => explainAsRole(connection, { ...asked, role, claims }));
    return {
      result: explanation,
      view: explanationViews(user ?? role ?? '', explanation, zoneOf(this.flags)),
      verdict: explanation.verdict === 'unknown' ? 'partial' : undefined,
      next: explanation.mend[0]?.command ?? undefined,
    };
  }

  async #ofPerson(asked: Omit<ExplainWish, 'family'>): Promise<Explanation> {
    const { explainAccess, explainAt } = await import('../../src/access/index.js');
    const { family, try: tries } = this.flags;
    const at = pastInstant(this.flags);
    const duties = tries ? (['admin'] as const) : (['support', 'compliance', 'admin'] as const);
    return await this.withSession(duties, (session) =>
      at === undefined
        ? explainAccess(session, { ...asked, family, try: tries }, this.flags)
        : explainAt(session, { ...asked, family, at }, this.flags),
    );
  }
}

function nobodyNamed(): NestctlError {
  return new NestctlError('Whose access? One of --user and --role.', {
    kind: 'needs_input',
    code: 'flag_missing',
    hint: '--user: the person, id or whole e-mail address; --role: a role of the database.',
    next: 'nestctl access explain --help',
  });
}
