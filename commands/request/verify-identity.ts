import { ConsoleCommand } from '../../src/console/base-command.js';
import { codeEntry } from '../../src/console/code-entry.js';
import { Flags, requestArgs, textFlag, writeFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { requestStep } from '../../src/console/request-views.js';

export default class RequestVerifyIdentity extends ConsoleCommand<typeof RequestVerifyIdentity> {
  static override summary = 'Record how the identity of whoever asks was checked, passed or failed';
  static override description =
    'An attestation: what was seen is recorded, never its number. With email_code the code that request send-code has sent is entered: asked for at the terminal, or from --code-file, and never on the command line. Three failed attempts within 24 hours are the most. Where somebody else asks for the subject, --authority says what showed that they may.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --method document --document passport --reason "…"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --method email_code --reason "…"',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --method known_facts --failed --remark "the postal code was another" --reason "…"',
  ];
  static override args = requestArgs;
  static override flags = {
    ...writeFlags,
    method: Flags.option({ options: ['document', 'signed_in', 'known_facts', 'email_code'] as const })({
      description:
        'a document was seen, the request came out of the signed-in account, facts were known, or they give the code that was sent',
      required: true,
    }),
    document: Flags.option({
      options: [
        ...['passport', 'drivers_licence', 'provincial_card', 'permanent_resident_card'],
        ...['birth_certificate', 'other'],
      ],
    })({ description: 'what was seen' }),
    authority: Flags.option({
      options: ['guardian_of_record', 'court_order', 'birth_certificate', 'mandate'],
    })({ description: 'what showed that somebody else may ask for the subject' }),
    failed: Flags.boolean({ description: 'it did not prove who asks', default: false }),
    'code-file': textFlag({
      description: 'the code that they give, from this file; - is stdin',
      helpValue: 'FILE',
    }),
    remark: textFlag({ description: 'a remark, without any number of a document', helpValue: 'TEXT' }),
  };

  async perform(): Promise<Outcome> {
    const { enterCode, planStep, requireCode, takeStep } = await import('../../src/privacy/index.js');
    const { method, document, authority, failed, remark, 'code-file': file, 'dry-run': dryRun } = this.flags;
    const code = codeEntry({ method, failed, file, dryRun, json: this.jsonWanted });
    return await this.withSession(['compliance'], (session) =>
      this.change({
        ...requestStep,
        plan: async () => {
          const plan = await planStep(session, this.args.number, () => ({
            ...{ verb: 'verify-identity', method, document, authority, passed: !failed, remark },
          }));
          if (method === 'email_code') await requireCode(session, plan.before);
          return plan;
        },
        apply: async (plan) =>
          code === undefined ? await takeStep(session, plan) : await enterCode(session, plan, await code()),
      }),
    );
  }
}
