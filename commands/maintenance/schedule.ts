import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, textFlag, zoneFlags, zoneOf } from '../../src/console/flags/index.js';
import { scheduleTable } from '../../src/console/maintenance-views.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class MaintenanceSchedule extends ConsoleCommand<typeof MaintenanceSchedule> {
  static override summary = 'Print a crontab, or systemd timers, that keep the promises of the product';
  static override description =
    'Nothing is installed. Each job runs when it is due, under the lock of maintenance, so that several machines may have the same timers. The reason of these runs is NESTCTL_REASON, "scheduled maintenance" unless set otherwise.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --as crontab --zone America/Toronto | crontab -',
    '<%= config.bin %> <%= command.id %> --as systemd --user nestctl --environment-file /etc/nestctl/maintenance.env',
  ];
  static override flags = {
    as: Flags.option({ options: ['crontab', 'systemd'] as const })({
      description: 'for which scheduler; a table of jobs when absent',
    }),
    user: textFlag({ description: 'the user of this machine who runs them (systemd); you when absent' }),
    'environment-file': textFlag({
      description: 'where secrets are, as NAME=value lines; it may be absent',
      helpValue: 'FILE',
      default: '/etc/nestctl/maintenance.env',
    }),
    ...zoneFlags,
  };

  async perform(): Promise<Outcome> {
    const { describeSchedule, JOBS, scheduledCommand } = await import('../../src/maintenance/index.js');
    const { as, user, zone } = this.flags;
    const command = scheduledCommand(await this.context(), {
      user,
      zone: zoneOf({ zone }),
      environmentFile: this.flags['environment-file'],
    });
    const { jobs, files } = describeSchedule(JOBS, command, as);
    return {
      result: { jobs, files },
      view:
        as === undefined
          ? scheduleTable(jobs)
          : files.flatMap(({ path, text: content }) => [
              ...(as === 'systemd' ? [text(`# ${path}`, { tone: 'muted' })] : []),
              ...content.split('\n').map((line) => text(line)),
            ]),
      next: as === undefined ? 'nestctl maintenance schedule --as systemd' : undefined,
    };
  }
}
