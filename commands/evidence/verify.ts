import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text, tree } from '../../src/console/views.js';

export default class EvidenceVerify extends ConsoleCommand<typeof EvidenceVerify> {
  static override summary = 'Verify signed records: every byte, every link, every key, and that none is gone';
  static override description =
    'Uses the key set of the context and the heads this console has seen. Exit code 3: tampered with, and where.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --chain keys --head keys:2:9f86d081…',
  ];
  static override flags = {
    chain: textFlag({ description: 'only this chain', multiple: true }),
    head: Flags.string({
      description: 'an end of a chain noted elsewhere, as verify prints it',
      helpValue: 'CHAIN:SIZE:SHA256',
      multiple: true,
    }),
    keys: textFlag({
      description: "verify with this published key set, not the context's own",
      helpValue: 'FILE',
    }),
  };

  async perform(): Promise<Outcome> {
    const { openEvidence, parseHead, readKeySet, verifyEvidence } = await import(
      '../../src/evidence/index.js'
    );
    const { chain, head = [], keys } = this.flags;
    const chains = await verifyEvidence(openEvidence(await this.context()), {
      only: chain,
      heads: head.map(parseHead),
      keySet: keys === undefined ? undefined : await readKeySet(keys),
    });
    const faults = chains.flatMap((report) => report.faults);
    const records = chains.reduce((sum, { size }) => sum + size, 0);
    return {
      result: { chains, faults: faults.length },
      view: [
        tree(
          ...chains.map((report) => ({
            text: `${report.chain}: ${report.size}`,
            mark: report.faults.length > 0 ? ('bad' as const) : ('good' as const),
            note: report.head === null ? 'empty' : `${report.chain}:${report.head.size}:${report.head.hash}`,
            children: report.faults.map(({ kind, number, detail }) => ({
              text: number === null ? kind : `${kind}: record ${number}`,
              mark: 'bad' as const,
              note: detail,
            })),
          })),
        ),
        records === 0 && faults.length === 0
          ? text('There is no evidence yet.')
          : faults.length === 0
            ? text(`All ${records} are as they were signed.`, { mark: 'good' })
            : text(`${faults.length} faults: this evidence was tampered with.`, { mark: 'bad' }),
      ],
      verdict: faults.length > 0 ? 'finding' : undefined,
    };
  }
}
