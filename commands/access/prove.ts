import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, rowFlags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { PROOF_COLUMNS, proofTable, proofViews } from '../../src/console/proof-views.js';

export default class AccessProve extends ConsoleCommand<typeof AccessProve> {
  static override summary = 'Prove that members reach what the access table gives them, and nothing else';
  static override description =
    `Writes a small model of families on the owner's connection, one for every kind of member: role, status, expiry, account, archived family, every permission granted and denied. Tries every command on every table as each of them, as nobody, as anon and as staff without a grant, compares it with public.role_permissions, and rolls all of it back. No row that is there already is touched or locked; while it runs the seal of the audit log waits, and where the owner has to take on roles for it, other grants of roles do too.

With --mutation every conjunct, role, permission, helper and right is weakened in turn, to see that the proof notices. It locks the tables: in a context of kind local it is done unless --no-mutation says otherwise, elsewhere only where asked for.

Exit code 3: something differs, with a script that shows it, or a weakness was not noticed; 9: something could not be tried.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --mutation --json',
    '<%= config.bin %> <%= command.id %> --scripts ./counterexamples',
  ];
  static override flags = {
    ...rowFlags(PROOF_COLUMNS),
    mutation: Flags.boolean({
      description: 'weaken one thing after the other and measure what the proof notices; locks the tables',
      allowNo: true,
    }),
    table: Flags.string({
      multiple: true,
      delimiter: ',',
      description: 'only these tables; all when absent',
    }),
    scripts: textFlag({
      description: 'write each counterexample into this folder, as SQL to run',
      helpValue: 'FOLDER',
    }),
  };

  async perform(): Promise<Outcome> {
    const { proveAccess, writeScripts } = await import('../../src/access/index.js');
    const { kind } = await this.context();
    const { mutation = kind === 'local', scripts, table: tables } = this.flags;
    const { database, host, port } = await this.ownerTarget();
    const proof = await this.withOwner((connection) =>
      proveAccess(connection, {
        mutate: mutation,
        tables,
        alone: kind === 'local',
        progress: this.progress,
        counted: this.counted,
      }),
    );
    const written = scripts === undefined ? [] : await writeScripts(scripts, proof);
    const survived = proof.mutation?.survived.length ?? 0;
    const unknown = proof.undeclared.length + (proof.mutation?.untried.length ?? 0);
    return {
      result: { ...proof, scripts: written },
      view: proofViews(proof, `${host}:${port}/${database}`),
      rows: proofTable(proof),
      verdict: !proof.holds || survived > 0 ? 'finding' : unknown > 0 ? 'partial' : undefined,
    };
  }
}
