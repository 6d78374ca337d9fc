import type { BundleWish, EventFilter, ExportFormat } from '../../src/audit/index.js';
import { ConsoleCommand } from '../../src/console/base-command.js';
import { bundleLines, nothingOf } from '../../src/console/bundle-views.js';
import {
  archiveFlags,
  bundleFlags,
  bundleWish,
  eventDuties,
  eventFilter,
  eventFlags,
  exportFormats,
  serverFlags,
  staffFlags,
  textFlag,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { say, sayNext } from '../../src/console/terminal.js';
import { details } from '../../src/console/views.js';
import { NestctlError } from '../../src/platform/errors.js';

export default class AuditExport extends ConsoleCommand<typeof AuditExport> {
  static override summary = 'Write audit events as CSV, NDJSON or JSON, however many';
  static override description =
    'Oldest first, as they come from the server, so that memory does not grow with them. With --from only what follows a token, in the order of transactions, and at the end the token to go on from: nothing is left out between two exports, and nothing comes twice. With --family and --bundle all that the sealed log has of a family, with the proof that it is all: nestctl audit verify --offline and bin/verify.js check it with the public keys alone, though parts were withheld.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --since 2026-11-01 --until 2026-11-30 --output november.csv',
    '<%= config.bin %> <%= command.id %> --format ndjson --table usage_logs | gzip > logs.ndjson.gz',
    '<%= config.bin %> <%= command.id %> --from start --format ndjson --output events.ndjson --json',
    '<%= config.bin %> <%= command.id %> --family 5b1c… --bundle tremblay.bundle --withhold actor --withhold others',
  ];
  static override flags = {
    ...staffFlags,
    ...serverFlags,
    ...eventFlags,
    ...archiveFlags,
    ...exportFormats,
    from: textFlag({
      description: 'only what follows the place of a token; start for all',
      helpValue: 'TOKEN|start',
    }),
    ...bundleFlags,
  };

  async perform(): Promise<Outcome> {
    const wish = bundleWish(this.flags);
    if (wish !== undefined) return await this.#bundle(wish);
    const { exportEvents, placeOf, readLog, readWhere, recordReading, START, tokenOf } = await import(
      '../../src/audit/index.js'
    );
    const { ensureLogAccess } = await import('../../src/access/index.js');
    const { output, from: token } = this.flags;
    const format = this.flags.format as ExportFormat;
    if (this.jsonWanted && output === undefined) throw twoDocuments();
    const filter: EventFilter = eventFilter(this.flags, readWhere).filter;
    const from = token === undefined ? undefined : token === 'start' ? START : placeOf(token);
    const { signal } = this;
    const archive = await this.archiveWish(this.flags);
    const { events, place } = await this.withReads(eventDuties(this.flags), async (session, read) => {
      await ensureLogAccess(session, this.flags, this.flags);
      this.warning(
        'archived_months',
        await recordReading(session, {
          ...{ kind: 'export', filter, more: { format, from: token } },
          archive: from === undefined ? archive !== undefined : undefined,
        }),
      );
      const work = (reader: typeof session, within: EventFilter) =>
        this.printing(format === 'csv' ? 'text' : 'json', (sink) =>
          exportEvents(reader, { filter: within, format, from, signal }, sink),
        );
      // A replica does not know where the log stands.
      if (from !== undefined) return await work(session, filter);
      return await readLog(session, read, { filter, archive }, work);
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

  async #bundle(wish: BundleWish): Promise<Outcome> {
    const { exportBundle, recordReading } = await import('../../src/audit/index.js');
    const { openEvidence } = await import('../../src/evidence/index.js');
    const evidence = openEvidence(await this.context());
    const { family, withhold } = wish;
    const { signal } = this;
    const onProgress = (done: number, total: number) => this.counted({ what: 'events', done, total });
    const written = await this.withSession(['compliance', 'auditor', 'admin'], async (session) => {
      this.warning(
        'archived_months',
        await recordReading(session, {
          kind: 'export',
          filter: { family },
          more: { format: 'bundle', withhold },
        }),
      );
      return await exportBundle(session, evidence, { ...wish, signal, onProgress });
    });
    this.warning('no_events', nothingOf(written));
    const next = `nestctl audit verify --offline ${written.file} --family ${family}`;
    if (!this.jsonWanted) {
      bundleLines(written).forEach(say);
      sayNext(next);
    }
    return { result: written, view: details({ events: written.events }), next, printed: true };
  }
}

function twoDocuments(): NestctlError {
  return new NestctlError('The events themselves would be printed where --json prints its envelope.', {
    kind: 'usage',
    code: 'two_documents',
    hint: 'Write them to a file with --output, or leave --json out: --format json is an array of them.',
  });
}
