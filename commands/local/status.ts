import { ConsoleCommand } from '../../src/console/base-command.js';
import { zoneFlags } from '../../src/console/flags/index.js';
import { formatBytes } from '../../src/console/format-bytes.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, toned } from '../../src/console/views.js';
import type { LocalState, LocalStatus } from '../../src/platform/local/index.js';

const STATES: Record<LocalState, { tone: 'good' | 'warn' | 'bad'; next?: string }> = {
  running: { tone: 'good' },
  stopped: { tone: 'warn', next: 'nestctl local up' },
  absent: { tone: 'warn', next: 'nestctl local up' },
  'half-made': { tone: 'warn', next: 'nestctl local up' },
  busy: { tone: 'warn', next: 'nestctl local status' },
  unreachable: { tone: 'bad', next: 'nestctl local up' },
};

export default class LocalStatusCommand extends ConsoleCommand<typeof LocalStatusCommand> {
  static override summary = 'Show how the embedded PostgreSQL is doing';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = { ...zoneFlags };

  async perform(): Promise<Outcome> {
    const { status } = await import('../../src/platform/local/index.js');
    const found = await status();
    const { tone, next } = STATES[found.state];
    return {
      result: found,
      view: details({
        state: toned(tone, found.state),
        problem: found.problem ?? undefined,
        version: found.version ? `PostgreSQL ${found.version}` : undefined,
        address: found.port ? `127.0.0.1:${found.port}` : undefined,
        process: found.pid ?? undefined,
        since: found.started_at ?? undefined,
        data: `${found.data} (${formatBytes(found.data_size)})`,
        WAL: `${found.wal.folder} (${found.wal.segments} segments, ${formatBytes(found.wal.size)})`,
        ...archiving(found.wal.archiver),
        migrated: migrated(found.migrations),
        contexts: found.contexts.join(', ') || 'none',
      }),
      next,
    };
  }
}

function archiving(archiver: LocalStatus['wal']['archiver']) {
  if (archiver === null) return {};
  const { archived, last_archived, last_archived_at, failed, last_failed, last_failed_at } = archiver;
  const failing = (last_failed_at?.getTime() ?? 0) > (last_archived_at?.getTime() ?? 0);
  return {
    archived: last_archived === null ? archived : `${archived}, last ${last_archived}`,
    'archived at': last_archived_at ?? undefined,
    'failed to archive':
      failed === 0 ? 0 : toned(failing ? 'bad' : 'warn', `${failed} times, last ${last_failed}`),
    'failed at': last_failed_at ?? undefined,
  };
}

function migrated(migrations: LocalStatus['migrations']) {
  if (migrations === null) return undefined;
  const { newest, pending } = migrations;
  return pending === 0 ? `to ${newest}` : toned('warn', `to ${newest ?? 'nothing'}, ${pending} pending`);
}
