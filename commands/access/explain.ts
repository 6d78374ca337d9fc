import { ConsoleCommand } from '../../src/console/base-command.js';
import { explanationViews } from '../../src/console/explanation-views.js';
import { Flags, jsonObjectFlag, staffFlags, textFlag, uuidFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

const whose = { exactlyOne: ['user', 'role'] };

export default class AccessExplain extends ConsoleCommand<typeof AccessExplain> {
  static override summary = 'Explain why somebody may or may not see or change a row, and what would mend it';
  static override description =
    `Every right and every policy that decides, condition by condition, evaluated by the database at this moment for that person and that row; the smallest missing fact, and the command that mends it. The question is on record before it is answered. No value of the row is shown.

With --role any table of any database is explained for that role and --claims, under your own login and without a duty: it must see the row and be a member of the role, and nothing is recorded but by that database.

Denied is an answer too: exit code 0. Exit code 9 where something could not be evaluated.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --user gran@example.ca --table usage_logs --row 5c1e0c1e-… --reason "Grandma cannot see the log" --ticket SUP-1234',
    `<%= config.bin %> <%= command.id %> --user gran@example.ca --table usage_logs --row 5c1e0c1e-… --command update --values '{"notes":"x"}'`,
    `<%= config.bin %> <%= command.id %> --role web --claims '{"sub":"42"}' --table shop.orders --row 17`,
  ];
  static override flags = {
    ...staffFlags,
    user: textFlag({ description: 'the person: id or whole e-mail address', helpValue: 'USER', ...whose }),
    role: textFlag({
      description: 'a role of the database, in place of a person',
      helpValue: 'ROLE',
      ...whose,
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
  };

  async perform(): Promise<Outcome> {
    const { explainAccess, explainAsRole } = await import('../../src/access/index.js');
    const { user, role = '', claims, table, row, command, values, returning, family } = this.flags;
    const asked = { table, row, command, values, reads: returning || command !== 'insert' };
    const explanation =
      user === undefined
        ? await this.withConnection((connection) => explainAsRole(connection, { ...asked, role, claims }))
        : await this.withSession(['support', 'compliance', 'admin'], (session) =>
            explainAccess(session, { ...asked, user, family }, this.flags),
          );
    return {
      result: explanation,
      view: explanationViews(user ?? role, explanation),
      verdict: explanation.verdict === 'unknown' ? 'partial' : undefined,
      next: explanation.mend[0]?.command ?? undefined,
    };
  }
}
