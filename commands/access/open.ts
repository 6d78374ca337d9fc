import type { OpenedAccess } from '../../src/access/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { fromList } from '../../src/console/choices.js';
import { durationFlag, Flags, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import { scopeText } from '../../src/console/grant-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { formatDuration } from '../../src/console/time/parse-duration.js';
import { details, text } from '../../src/console/views.js';

const SCOPES = ['family', 'user', 'directory', 'break-glass'];
const but = (own: string) => ({ exclusive: SCOPES.filter((scope) => scope !== own) });
const DUTIES = ['support', 'compliance', 'admin'] as const;

export default class AccessOpen extends ConsoleCommand<typeof AccessOpen> {
  static override summary = 'Open access to a family or a person for a while, saying why';
  static override description =
    'Without a live grant an operator reads no rows. A grant names operator, duty, scope, reason, ticket and end; it is on record before it opens anything.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --family 9f3a0c1e-… --reason "Grandma cannot see the log" --ticket SUP-1234 --for 30m',
    '<%= config.bin %> <%= command.id %> --break-glass --approved --for 60m --reason "the provider is down" --ticket INC-2',
    '<%= config.bin %> <%= command.id %> --directory --reason "caller knows only her name" --ticket SUP-1234',
  ];
  static override flags = {
    ...writeFlags,
    family: uuidFlag({ description: 'one family', ...but('family') }),
    user: uuidFlag({ description: 'one person, with the families they are a member of', ...but('user') }),
    directory: Flags.boolean({
      description: 'a directory session: masked lookups, counted and recorded',
      ...but('directory'),
    }),
    'break-glass': Flags.boolean({
      description: 'everything, as admin: alone at most 30m, with an alert and a review afterwards',
      ...but('break-glass'),
    }),
    approved: Flags.boolean({
      description: 'ask a second admin first: at most 60m, and no review afterwards',
      dependsOn: ['break-glass'],
    }),
    for: durationFlag({ description: 'how long', min: 60_000, max: 8 * 3_600_000, default: 30 * 60_000 }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  protected override async wanted(): Promise<string[]> {
    if (this.flags.family ?? this.flags.user ?? (this.flags.directory || this.flags['break-glass']))
      return [];
    const scope = await askScope();
    if (scope === 'directory' || scope === 'break-glass') this.flags[scope] = true;
    return [scope];
  }

  async perform(): Promise<Outcome> {
    if (this.flags.approved) return await this.#breakGlass();
    const { openAccess, planAccess, scopeOf } = await import('../../src/access/index.js');
    const duties = this.flags['break-glass'] ? (['admin'] as const) : DUTIES;
    return await this.withSession(duties, (session) =>
      this.change({
        plan: async () =>
          planAccess(session, scopeOf(this.flags), {
            reason: this.flags.reason,
            ticket: this.flags.ticket,
            minutes: Math.floor(this.flags.for / 60_000),
          }),
        show: ({ scope, duty, minutes, reason, ticket }) =>
          details({
            scope: 'id' in scope ? `${scope.kind} ${scope.id}` : scope.kind,
            duty,
            for: formatDuration(minutes * 60_000),
            reason,
            ticket,
          }),
        apply: (plan) => openAccess(session, plan),
        done: (grant) => this.#opened(grant),
      }),
    );
  }

  async #breakGlass(): Promise<Outcome> {
    const { breakGlass, planBreakGlass } = await import('../../src/access/index.js');
    const { requestApproval } = await import('../../src/platform/approvals/index.js');
    const { reason, ticket } = this.flags;
    return await this.withSession(['admin'], (session) =>
      this.change({
        plan: () => planBreakGlass(session, Math.floor(this.flags.for / 60_000)),
        show: ({ minutes }) =>
          details({
            scope: 'everything',
            duty: 'admin',
            for: formatDuration(minutes * 60_000),
            reason,
            ticket,
          }),
        approval: (plan) => requestApproval(session, 'break_glass', plan),
        apply: (plan) => breakGlass(session, plan),
        done: (grant) => this.#opened(grant),
      }),
    );
  }

  #opened(grant: OpenedAccess): Outcome {
    const alone = grant.kind === 'break_glass' && !this.flags.approved;
    if (alone) this.warning('break_glass', BROKEN);
    return {
      result: grant,
      view: [
        text('Access is open.', { mark: 'good' }),
        details({
          id: grant.id,
          scope: scopeText(grant),
          duty: grant.duty,
          until: grant.expires_at,
          'close it': `nestctl access close ${grant.id}`,
        }),
      ],
      next: nextStep(grant),
    };
  }
}

const askScope = fromList('Open access to what?', async () => [
  { value: 'family', label: 'one family' },
  { value: 'user', label: 'one person, with the families they are a member of' },
  { value: 'directory', label: 'the directory: look people up, masked' },
  { value: 'break-glass', label: 'everything, as admin, reviewed afterwards' },
]);

const BROKEN =
  'You have broken the glass alone. Who listens was alerted, doctor tells everybody, and somebody else reviews what you do within three days.';

/** What the grant was opened for. Support is the duty that reading commands take first. */
function nextStep({ kind, family_id, user_id, duty }: OpenedAccess): string {
  const under = duty === 'support' ? '' : ` --duty ${duty}`;
  if (family_id !== null) return `nestctl family show ${family_id}${under}`;
  if (kind === 'directory') return `nestctl family list --name …${under}`;
  return user_id === null ? `nestctl family list${under}` : `nestctl audit query --user ${user_id}${under}`;
}
