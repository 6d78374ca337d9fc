/** Server settings; strings are quoted on writing. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/**
 * How the embedded server runs: reachable over loopback alone, archiving WAL from the start, and sized for a
 * laptop that has other things to do.
 */
export function serverSettings(port: number, wal: string, log: string): Settings {
  return {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: 60,

    wal_level: 'replica',
    archive_mode: true,
    // Unlike a `cp` in archive_command it survives a crash at any point: it syncs, and takes a segment that
    // is already there, byte for byte, as archived.
    archive_library: 'basic_archive',
    'basic_archive.archive_directory': wal,
    // What is written reaches the archive well within the RPO of an hour, on a quiet day too.
    archive_timeout: '15min',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: true,

    shared_buffers: '256MB',
    effective_cache_size: '1GB',
    work_mem: '16MB',
    maintenance_work_mem: '128MB',
    random_page_cost: 1.1,
    jit: false,

    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',

    logging_collector: true,
    log_directory: log,
    // One file a weekday, begun anew each time: a week of log and no more.
    log_filename: 'postgresql-%a.log',
    log_truncate_on_rotation: true,
    log_rotation_age: '1d',
    log_rotation_size: 0,
    log_line_prefix: '%m [%p] %q%u@%d %a ',
    log_checkpoints: false,
  };
}

/** The text of a configuration file. */
export function renderSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${render(value)}\n`)
    .join('');
}

function render(value: string | number | boolean): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
}
