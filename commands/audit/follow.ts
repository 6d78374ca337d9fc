import { ConsoleCommand } from '../../src/console/base-command.js';
import { followedLine } from '../../src/console/event-views.js';
import {
  durationFlag,
  eventDuties,
  eventFilter,
  eventFlags,
  Flags,
  staffFlags,
  textFlag,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { safeJson } from '../../src/console/safe-text.js';
import { printLine, say, sayNext } from '../../src/console/terminal.js';
import { NestctlError } from '../../src/platform/errors.js';

const { until: _, ...filterFlags } = eventFlags;

export default class AuditFollow extends ConsoleCommand<typeof AuditFollow> {
  static override summary = 'Show audit events as they are committed, each once, however late';
  static override description =
    'In the order of transactions: an event is shown once every transaction before its own is over, so that none is ever skipped. In a pipe each line is a JSON object with a token; whoever keeps the last one goes on behind it with --from, and so does "audit export". A lost connection is made again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --table usage_logs',
    `<%= config.bin %> <%= command.id %> --since 1h --where 'duty is not null' > events.ndjson`,
    '<%= config.bin %> <%= command.id %> --from TOKEN --once >> events.ndjson',
  ];
  static override flags = {
    ...staffFlags,
    ...filterFlags,
    format: Flags.string({
      description: 'a line for people, or ndjson; ndjson in a pipe, unless this says otherwise',
      options: ['table', 'ndjson'],
      helpGroup: 'GLOBAL',
    }),
    from: textFlag({
      description: 'behind the place of a token',
      helpValue: 'TOKEN',
      exclusive: ['since'],
    }),
    once: Flags.boolean({ description: 'end when all that is there was shown' }),
    every: durationFlag({
      description: 'how often to look',
      default: 1_000,
      max: 3_600_000,
      helpValue: '1s|1m',
    }),
  };

  async perform(): Promise<Outcome> {
    const { followEvents, placeOf, readWhere, recordReading, tokenOf } = await import(
      '../../src/audit/index.js'
    );
    const { ensureLogAccess } = await import('../../src/access/index.js');
    const { from, once, every, format = process.stdout.isTTY ? 'table' : 'ndjson', output } = this.flags;
    if (this.jsonWanted || output !== undefined) throw oneByOne();
    const { filter, zone } = eventFilter(this.flags, readWhere);
    const { signal } = this;
    let recorded = false;
    const end = await followEvents(
      { filter, from: from === undefined ? undefined : placeOf(from), once, interval: every, signal },
      {
        session: (work) =>
          this.withSession(eventDuties(this.flags), async (session) => {
            await ensureLogAccess(session, this.flags, this.flags);
            // Once, however often the connection is lost: else following would fill what it follows.
            if (!recorded) {
              const lacking = await recordReading(session, { kind: 'follow', filter, more: { from } });
              // What comes from now on is in the database.
              if (from !== undefined || filter.since !== undefined) this.warning('archived_months', lacking);
            }
            recorded = true;
            return await work(session);
          }),
        show: ({ event, place }) =>
          printLine(
            format === 'table' ? followedLine(event, zone) : safeJson({ ...event, token: tokenOf(place) }),
          ),
        tell: say,
      },
    );
    const next = `nestctl audit follow --from ${tokenOf(end)}`;
    if (signal.aborted) throw new NestctlError('Interrupted.', { kind: 'interrupted', next });
    sayNext(next);
    return { result: {}, view: [], printed: true };
  }
}

function oneByOne(): NestctlError {
  return new NestctlError('Events that are followed are printed one by one, on stdout.', {
    kind: 'usage',
    code: 'one_by_one',
    hint: 'Leave --json and --output out: in a pipe each line is JSON already.',
  });
}
