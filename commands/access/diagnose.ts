import { ConsoleCommand } from '../../src/console/base-command.js';
import { chooseCause } from '../../src/console/cause-choice.js';
import { diagnosisOutcome, fixOutcome, fixViews } from '../../src/console/diagnosis-views.js';
import { Args, Flags, personFlag, textFlag, uuidFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';

export default class AccessDiagnose extends ConsoleCommand<typeof AccessDiagnose> {
  static override summary = 'Find out why somebody cannot see what they expect, and mend it';
  static override description =
    `No table is needed: every known cause is looked for, the likeliest first, each with its evidence and the commands that mend it. The question is on record before it is answered; of families and accounts that no grant covers, names and addresses stay masked.

With --fix the commands of one cause are carried out as one change, after consent: choose it on a terminal, or name it: --fix CAUSE. Then it is diagnosed again.

Exit code 8 where the likeliest cause is not support's to mend, or somebody has to do something before it is mended; the answer says who.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> --user gran@example.ca --reason "Grandma cannot see the log" --ticket SUP-1234',
    '<%= config.bin %> <%= command.id %> --user gran@example.ca --family 9f3a0c1e-… --expects usage_logs:insert',
    '<%= config.bin %> <%= command.id %> --user gran@example.ca --fix access_expired --yes --reason "…" --ticket SUP-1234',
  ];
  static override args = {
    cause: Args.string({ description: 'with --fix: the cause, as the diagnosis names it' }),
  };
  static override flags = {
    ...writeFlags,
    user: personFlag({ description: 'the person', required: true }),
    family: uuidFlag({ description: 'the family of the complaint; any of theirs when absent' }),
    expects: textFlag({
      description:
        'what they expect to do: table, or table:insert, :update, :delete; several times for several',
      helpValue: 'TABLE[:COMMAND]',
      multiple: true,
    }),
    child: textFlag({ description: 'the name of a child they look for', helpValue: 'NAME' }),
    fix: Flags.boolean({ description: 'mend a cause that was found', helpGroup: 'WRITE' }),
  };

  protected override get purposeFromGrant(): boolean {
    return true;
  }

  protected override get writes(): boolean {
    return this.flags.fix;
  }

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { applyFix, diagnoseAccess, parseExpectation, planFix } = await import(
      '../../src/access/diagnose/index.js'
    );
    const { user, family, child, expects, fix } = this.flags;
    const wish = { user, family, child, expects: expects?.map(parseExpectation) };
    return await this.withSession(
      ['support', ...(fix ? [] : ['compliance' as const]), 'admin'],
      async (session) => {
        const diagnosis = await diagnoseAccess(session, wish, this.flags);
        if (!fix) return diagnosisOutcome(diagnosis);
        const cause =
          this.args.cause ?? (await chooseCause(diagnosis.causes, { user, json: this.jsonWanted }));
        return await this.change({
          plan: () => planFix(session, diagnosis, cause, this.flags),
          show: fixViews,
          question: () => `Mend ${cause} for ${diagnosis.person.email}?`,
          apply: (plan) => applyFix(session, plan, wish, this.flags),
          done: fixOutcome,
        });
      },
    );
  }
}
