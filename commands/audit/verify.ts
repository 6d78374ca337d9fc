import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, staffFlags, timeRange, zoneFlags } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { verifyView } from '../../src/console/seal-views.js';

export default class AuditVerify extends ConsoleCommand<typeof AuditVerify> {
  static override summary = 'Verify the audit log: every event, every leaf, every head that was ever signed';
  static override description =
    'Intact, lawfully erased (by which request), rewound by a recorded recovery, or tampered with: which event or ' +
    'object, and how. Compares with the heads this console has seen, and with those in the object store where the ' +
    'context names one. With a span of time only its events are read; the tree is verified whole. What was never ' +
    'logged is found by audit coverage. Exit code 3: tampered with; 9: something could not be told.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --since 7d',
    '<%= config.bin %> <%= command.id %> --from 2026-11-01 --to 2026-11-30',
  ];
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    since: Flags.string({
      description: 'only events from here on: 3h, 2d, a date or a time',
      aliases: ['from'],
      helpGroup: 'TIME',
      helpValue: 'TIME',
    }),
    to: Flags.string({
      description: 'only events before this; a date means to the end of that day',
      aliases: ['until'],
      helpGroup: 'TIME',
      helpValue: 'TIME',
    }),
  };

  async perform(): Promise<Outcome> {
    const { spanOf, verifyContext } = await import('../../src/audit/index.js');
    const { since, until } = timeRange({
      since: this.flags.since,
      until: this.flags.to,
      zone: this.flags.zone,
    });
    const context = await this.context();
    const report = await this.withSession(['auditor', 'compliance', 'admin', 'sre'], (session) =>
      verifyContext(session, context, {
        range: spanOf(since, until),
        signal: this.signal,
        tell: this.progress,
        onProgress: (done, total) => this.counted({ what: 'events', done, total }),
      }),
    );
    const tampered = report.verdict === 'tampered';
    return {
      result: report,
      view: verifyView(report),
      verdict: tampered ? 'finding' : report.doubts.length > 0 ? 'partial' : undefined,
      next: tampered ? undefined : 'nestctl audit coverage',
    };
  }
}
