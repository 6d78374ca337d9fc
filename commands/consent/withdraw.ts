import {
  afterWithdrawal,
  CONSENT_TYPES,
  consentResult,
  WITHDRAWAL_WAYS,
  withdrawalViews,
} from '../../src/console/consent-views.js';
import { Flags, uuidArg, writeFlags } from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class ConsentWithdraw extends GrantedWrite<typeof ConsentWithdraw> {
  static override summary = 'Withdraw a consent for a person who has said so';
  static override description =
    'The plan says what follows, which the person is to be told before (PIPEDA principle 4.3.8), and what rests on it. Its records stay, as evidence; the setting that the application goes by is turned off. Only the person can give it again, in the application.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> 5c1e07d2-… --type analytics --how letter --reason "her letter of 20 November" --ticket PRIV-7',
  ];
  static override args = { user: uuidArg({ required: true, description: 'the id of the account' }) };
  static override flags = {
    ...writeFlags,
    type: Flags.option({ options: CONSENT_TYPES })({ description: 'which consent', required: true }),
    how: Flags.option({ options: WITHDRAWAL_WAYS })({
      description: 'how the person has said so',
      required: true,
    }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { planWithdrawal, withdrawConsent } = await import('../../src/privacy/index.js');
    const { type, how } = this.flags;
    const id = this.args.user;
    return await this.withSession(['compliance'], async (session) => {
      await ensureAccess(session, { kind: 'user', id }, this.flags);
      return await this.change({
        plan: () => planWithdrawal(session, id, { type, how }),
        show: ({ before }) => withdrawalViews(before),
        question: () => `Withdraw the consent of ${id} to ${type}?`,
        apply: (plan) => withdrawConsent(session, plan),
        done: (consent) => ({
          result: { consent: consentResult(consent) },
          view: [
            text(`The consent to ${type} is withdrawn.`, { mark: 'good' }),
            details({ 'to tell the person': consent.follows }),
          ],
          next: afterWithdrawal(id),
        }),
      });
    });
  }
}
