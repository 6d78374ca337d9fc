import { ConsoleCommand } from '../../src/console/base-command.js';
import { consentFlags, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, table, text } from '../../src/console/views.js';

export default class EvidenceCarry extends ConsoleCommand<typeof EvidenceCarry> {
  static override summary = 'Carry signed records to the object store, locked so that nobody can change them';
  static override description =
    'Each record goes under its own name, is read back, and then locked (Object Lock, compliance mode): from then on ' +
    'evidence verify --carried tells when a chain was cut or replaced here. Interrupted, the next run goes on. Exit ' +
    'code 3: a chain does not verify and was left out.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %>',
  ];
  static override flags = { ...zoneFlags, 'dry-run': consentFlags['dry-run'] };

  async perform(): Promise<Outcome> {
    const { carryEvidence, openEvidence, planCarry, withCarrier } = await import(
      '../../src/evidence/index.js'
    );
    const context = await this.context();
    const evidence = openEvidence(context);
    return await withCarrier(context, (carrier) =>
      this.change({
        plan: () => planCarry(evidence, carrier),
        show: ({ place, retain_until, chains }) => [
          details({ to: place, 'locked until': retain_until }),
          table(
            chains,
            [
              { name: 'chain', value: ({ chain }) => chain },
              { name: 'records', value: ({ size }) => size, align: 'right' },
              { name: 'to carry', value: ({ missing }) => missing.length, align: 'right', keep: true },
              {
                name: 'problem',
                value: ({ faults }) => faults.length > 0 && `${faults.length} faults: not carried`,
              },
            ],
            'There is no evidence yet.',
          ),
        ],
        apply: (plan) => carryEvidence(evidence, carrier, plan, { signal: this.signal }),
        done: (carried, plan) => {
          const left = plan.chains.filter(({ faults }) => faults.length > 0).map(({ chain }) => chain);
          const sent = carried.reduce((sum, one) => sum + one.sent, 0);
          return {
            result: { place: plan.place, retain_until: plan.retain_until, chains: carried, left_out: left },
            view: [
              text(`${sent} records were carried, and read back.`, { mark: 'good' }),
              ...(left.length === 0
                ? []
                : [text(`Left out, since they do not verify: ${left.join(', ')}.`, { mark: 'bad' })]),
            ],
            verdict: left.length > 0 ? 'finding' : undefined,
            next: 'nestctl evidence verify --carried',
          };
        },
      }),
    );
  }
}
