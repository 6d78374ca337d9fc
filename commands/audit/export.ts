import type { ExportFormat } from '../../src/audit/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  eventDuties,
  eventFilter,
  eventFlags,
  exportFormats,
  serverFlags,
  staffFlags,
  textFlag,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { say } from '../../src/console/terminal.js';
import { details } from '../../src/console/views.js';
import { NestctlError } from '../../src/platform/errors.js';

export default class AuditExport extends ConsoleCommand<typeof AuditExport> {
  static override summary = 'Write audit events as CSV, NDJSON or JSON, however many';
  static override description =
    'Oldest first, as they come from the server, so that memory does not grow with them. With --from only what follows a token, in the order of transactions, and at the end the token to go on from: nothing is left out between two exports, and nothing comes twice.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --since 2026-11-01 --until 2026-11-30 --output november.csv',
    '<%= config.bin %> <%= command.id %> --format ndjson --table usage_logs | gzip > logs.ndjson.gz',
    '<%= config.bin %> <%= command.id %> --from start --format ndjson --output events.ndjson --json',
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...eventFlags,
    ...exportFormats,
    from: textFlag({
      description: 'only what follows the place of a token; start for all',
      helpValue: 'TOKEN|start',
    }),
  };

  async perform(): Promise<Outcome> {
    const { exportEvents, placeOf, readWhere, recordReading, START, tokenOf } = await import(
      '../../src/audit/index.js'
    );
    const { ensureLogAccess } = await import('../../src/access/index.js');
    const { output, from: token } = this.flags;
    const format = this.flags.format as ExportFormat;
    if (this.jsonWanted && output === undefined) throw twoDocuments();
    const { filter } = eventFilter(this.flags, readWhere);
    const from = token === undefined ? undefined : token === 'start' ? START : placeOf(token);
    const { signal } = this;
    const { events, place } = await this.withReads(eventDuties(this.flags), async (session, read) => {
      await ensureLogAccess(session, this.flags, this.flags);
      await recordReading(session, { kind: 'export', filter, more: { format, from: token } });
      const work = (reader: typeof session) =>
        this.printing(format === 'csv' ? 'text' : 'json', (sink) =>
          exportEvents(reader, { filter, format, from, signal }, sink),
        );
      // A replica does not know where the log stands.
      return from === undefined ? await read(work) : await work(session);
    });
    const next = place === undefined ? undefined : tokenOf(place);
    if (!this.jsonWanted)
      say(`${events.toLocaleString('en-CA')} events${output === undefined ? '' : ` written to ${output}`}`);
    if (!this.jsonWanted && next !== undefined) say(`token  ${next}`);
    return {
      result: { events, file: output ?? null, format, token: next ?? null },
      view: details({ events }),
      printed: true,
    };
  }
}

function twoDocuments(): NestctlError {
  return new NestctlError('The events themselves would be printed where --json prints its envelope.', {
    kind: 'usage',
    code: 'two_documents',
    hint: 'Write them to a file with --output, or leave --json out: --format json is an array of them.',
  });
}
