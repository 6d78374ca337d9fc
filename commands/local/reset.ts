import { ConsoleCommand } from '../../src/console/base-command.js';
import { confirmName } from '../../src/console/confirm-name.js';
import { Flags, textFlag } from '../../src/console/flags/index.js';
import { formatBytes } from '../../src/console/format-bytes.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class LocalReset extends ConsoleCommand<typeof LocalReset> {
  static override summary = 'Remove the embedded database with its archived WAL, for good, and make it anew';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --confirm local',
  ];
  static override flags = {
    'dry-run': Flags.boolean({ description: 'show what would be removed and change nothing' }),
    confirm: textFlag({ description: 'consent without being asked: the name, local', helpValue: 'NAME' }),
  };

  async perform(): Promise<Outcome> {
    const { describeStage, reset, status } = await import('../../src/platform/local/index.js');
    const plan = async () => {
      const { data, data_size, wal, port } = await status();
      return { data, data_size, wal: wal.folder, wal_segments: wal.segments, wal_size: wal.size, port };
    };
    return await this.change({
      plan,
      show: (found) =>
        details({
          removes: `${found.data} (${formatBytes(found.data_size)})`,
          and: `${found.wal} (${found.wal_segments} segments, ${formatBytes(found.wal_size)})`,
        }),
      apply: async () => {
        await confirmName({
          name: 'local',
          warning: 'The local database and every way back to an earlier state of it will be gone.',
          given: this.flags.confirm,
          json: this.flags.json,
          next: 'nestctl local reset --confirm local',
        });
        return await reset({
          onStage: (stage) => {
            const line = describeStage(stage);
            if (line !== undefined) this.progress(line);
          },
        });
      },
      done: (report) => ({
        result: report,
        view: text(`A new, empty database is up on 127.0.0.1:${report.port}`, { mark: 'good' }),
        next: 'nestctl local seed',
      }),
    });
  }
}
