import { ConsoleCommand } from '../../src/console/base-command.js';
import { chainNode, chainTable, FAULT_COLUMNS } from '../../src/console/evidence-views.js';
import { Flags, rowFlags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text, tree } from '../../src/console/views.js';
import type { CarriedReport, Evidence } from '../../src/evidence/index.js';

export default class EvidenceVerify extends ConsoleCommand<typeof EvidenceVerify> {
  static override summary = 'Verify signed records: every byte, every link, every key, and that none is gone';
  static override description =
    'Uses the keys of the context, those that were imported, and the heads this console has seen. With --carried the ' +
    'records in the object store are verified too, and the chains here against them. Exit code 3: tampered with, and ' +
    'where; 9: nothing is wrong, but something could not be proven.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --carried',
    '<%= config.bin %> <%= command.id %> --chain keys --head keys:2:9f86d081…',
  ];
  static override flags = {
    ...rowFlags(FAULT_COLUMNS),
    carried: Flags.boolean({
      description: 'also what was carried to the object store, and the chains here against it',
    }),
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
    const evidence = openEvidence(await this.context());
    const noted = head.map(parseHead);
    const carried = await this.#carried(evidence);
    const chains = await verifyEvidence(evidence, {
      only: chain,
      heads: carried === undefined ? noted : [...noted, carried.heads],
      keySet: keys === undefined ? undefined : await readKeySet(keys),
    });
    const all = [...chains, ...(carried?.chains ?? [])];
    const faults = all.flatMap((report) => report.faults);
    const doubts = all.flatMap((report) => report.doubts);
    const records = chains.reduce((sum, { size }) => sum + size, 0);
    const strangers = faults.some(({ kind }) => kind === 'unknown_key');
    return {
      result: {
        chains,
        carried: carried === undefined ? null : { place: carried.place, chains: carried.chains },
        faults: faults.length,
        doubts: doubts.length,
      },
      rows: chainTable(all),
      view: [
        tree(...chains.map(chainNode)),
        ...(carried === undefined
          ? []
          : [tree({ text: carried.place, children: carried.chains.map(chainNode) })]),
        records === 0 && faults.length === 0
          ? text('There is no evidence yet.')
          : faults.length > 0
            ? text(`${faults.length} faults: this evidence was tampered with.`, { mark: 'bad' })
            : doubts.length > 0
              ? text(`${doubts.length} records could not be proven.`, { mark: 'unknown' })
              : text(`All ${records} are as they were signed.`, { mark: 'good' }),
      ],
      verdict: faults.length > 0 ? 'finding' : doubts.length > 0 ? 'partial' : undefined,
      // It may be a forger's key, or one of a colleague's that nobody has told this console of.
      next: strangers ? 'nestctl evidence key import --help' : undefined,
    };
  }

  async #carried(evidence: Evidence): Promise<CarriedReport | undefined> {
    if (!this.flags.carried) return undefined;
    const { verifyCarried, withCarrier } = await import('../../src/evidence/index.js');
    return await withCarrier(await this.context(), (carrier) => verifyCarried(evidence, carrier));
  }
}
