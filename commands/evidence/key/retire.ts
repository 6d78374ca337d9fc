import { ConsoleCommand } from '../../../src/console/base-command.js';
import {
  Args,
  consentFlags,
  Flags,
  timeRange,
  whyFlags,
  zoneFlags,
} from '../../../src/console/flags/index.js';
import type { Outcome } from '../../../src/console/outcome.js';
import { details, text } from '../../../src/console/views.js';
import type { Heads } from '../../../src/evidence/index.js';

export default class EvidenceKeyRetire extends ConsoleCommand<typeof EvidenceKeyRetire> {
  static override summary = 'Retire a signing key without a next one, or report it stolen';
  static override description =
    'What it signed before stays valid; with --stolen-since, what it signed from then on is not. What it claims to have ' +
    'signed before the theft is proven by the clock of the object store, as far as it was carried there: only a thief ' +
    'would need another time. Its private half is destroyed where that is a file.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --reason "laptop replaced" --yes',
    '<%= config.bin %> <%= command.id %> --reason "laptop stolen" --stolen-since 2026-11-20T18:00 --yes',
  ];
  static override args = { key: Args.string({ description: 'its id; the active one when absent' }) };
  static override flags = {
    ...consentFlags,
    ...whyFlags,
    ...zoneFlags,
    'stolen-since': Flags.string({
      description: 'somebody else may have it from this time on: 3h, a date or a time',
      helpValue: 'TIME',
    }),
  };

  async perform(): Promise<Outcome> {
    const { openEvidence, planRetirement, provenBefore, retireKey } = await import(
      '../../../src/evidence/index.js'
    );
    const context = await this.context();
    const evidence = openEvidence(context);
    const { zone, 'stolen-since': since } = this.flags;
    const stolenSince = timeRange({ since, zone }).since;
    const why = await this.why();
    return await this.change({
      plan: async () => {
        const { proven, problem } = await provenBefore(context, stolenSince);
        if (problem !== undefined) {
          this.warning('not_proven', `What was signed before cannot be proven now: ${problem}`);
        }
        return await planRetirement(evidence, { ...why, kid: this.args.key, stolenSince, proven });
      },
      show: (plan) =>
        details({
          key: plan.kid,
          reason: plan.because,
          'stolen since': stolenSince,
          'proven before': provenText(plan.proven),
          context: evidence.context,
        }),
      question: (plan) => `Retire the key ${plan.kid}? It cannot be brought back.`,
      apply: (plan) => retireKey(evidence, plan),
      done: ({ key, destroyed, recorded }) => ({
        result: {
          key: key.kid,
          retired_at: key.retired_at,
          stolen_since: key.stolen_since ?? null,
          private_key_destroyed: destroyed,
          recorded,
        },
        view: [
          text(`${key.kid} is retired.`, { mark: 'good' }),
          ...(destroyed ? [text('Its private key file is gone.')] : []),
          ...(recorded ? [] : [text('It goes on record with the next key.', { mark: 'warn' })]),
        ],
        next: recorded ? 'nestctl evidence key publish --to keys.json' : 'nestctl evidence key create',
      }),
    });
  }
}

function provenText(proven: Heads | undefined): string | undefined {
  const heads = Object.entries(proven ?? {});
  return heads.length === 0 ? undefined : heads.map(([chain, { size }]) => `${chain} to ${size}`).join(', ');
}
