import {
  encryptionOfWish,
  encryptionWish,
  encryptionWords,
  requireName,
} from '../../src/console/encryption.js';
import { createdViews, exportTable, exportViews } from '../../src/console/export-views.js';
import {
  encryptFlags,
  requestArg,
  serverFlags,
  textFlag,
  writeFlags,
} from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { checkOutput, streamOutput } from '../../src/console/output-file.js';

export default class ExportCreate extends GrantedWrite<typeof ExportCreate> {
  static override summary = 'Write the package that answers a request, signed';
  static override description =
    'One ZIP file: a page to read offline in the language of the person, each table as JSON and CSV with its schema, what was withheld and why, and everybody else under an alias (PIPEDA s. 9(1)). Needs a request for access or portability whose identity was verified; for a child, one of a guardian of record who may act for it today. Look at export review first: what the person sees in the app, against what they are given. All of it is of one moment, read on the replica of the context once that has caught up. Written whole or not at all, readable by its owner only; verify it anywhere with export verify. With --encrypt-to or --passphrase it is encrypted with age as it is written, to be opened by age, rage or whatever else reads that format; the record names the encrypted file too, and nothing else of the package is shared then.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --file jeanne.zip --reason "access request" --ticket DSR-12',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --file jeanne.zip --dry-run',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --file jeanne.zip.age --encrypt-to age1vn5q7w… --reason "access request" --ticket DSR-12',
  ];
  static override args = {
    number: requestArg({ required: true, description: 'the number of the request, such as REQ-2026-0001' }),
  };
  static override flags = {
    ...writeFlags,
    ...serverFlags,
    ...encryptFlags,
    file: textFlag({ description: 'the new file that it is written to', helpValue: 'FILE', required: true }),
  };

  protected override readonly directories = async () =>
    (await import('../../src/access/index.js')).directories;

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { recordReading } = await import('../../src/audit/index.js');
    const { openEvidence } = await import('../../src/evidence/index.js');
    const {
      createExport,
      exportableRequest,
      measureResidency,
      packageScope,
      planExport,
      requireRecipients,
      requireStanding,
    } = await import('../../src/privacy/index.js');
    const { file } = this.flags;
    const wish = encryptionWish(this.flags);
    if (typeof wish === 'object') await requireRecipients(wish.recipients);
    const output = await checkOutput(file, false, 'file');
    requireName(output, wish);
    const evidence = openEvidence(await this.context());
    return await this.withReads(['compliance'], async (session, read) => {
      const request = await exportableRequest(session, this.args.number);
      const scope = packageScope(request.subject);
      await ensureAccess(session, scope, this.flags);
      await requireStanding(session, request);
      return await this.change({
        plan: async () => {
          const filter = { [scope.kind]: scope.id };
          this.warning('archived_months', await recordReading(session, { kind: 'export', filter }));
          // Nobody who has consented already waits for how often others are replaced.
          const { yes, 'dry-run': dry } = this.flags;
          const reading = yes && !dry ? 'counts' : 'rows';
          return await read((reader) => planExport(reader, request.subject, reading));
        },
        show: (plan) => exportViews(plan, exportTable(plan)),
        question: ({ person, rows }) =>
          `Write the package of ${person}, ${rows} rows${encryptionWords(wish)}, to ${file}?`,
        apply: async () => {
          const encryptTo = await encryptionOfWish(wish, this.flags, this.jsonWanted);
          await this.clearFor(output);
          const residency = await measureResidency(await this.context());
          const asked = { request, residency, encryptTo, signal: this.signal, onFile: this.progress };
          const write = (reader: typeof session) =>
            streamOutput(output, (sink) => createExport(session, evidence, { ...asked, reader }, sink));
          // What went into a pipe cannot be begun anew where the replica fails.
          return await (output.special ? write(session) : read(write));
        },
        done: (created) => ({
          result: { ...created, file },
          view: createdViews(created, file),
          next: `nestctl export verify ${file}`,
        }),
      });
    });
  }
}
