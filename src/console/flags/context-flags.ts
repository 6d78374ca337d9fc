import * as Flags from '@oclif/core/flags';
import type { ContextSettings } from '../../platform/config/schema.js';
import { NestctlError } from '../../platform/errors.js';
import { countFlag, textFlag } from './values.js';

/** A program with its arguments: a JSON array, or words between blanks. It is run without a shell. */
export const programFlag = Flags.custom<string[]>({
  helpValue: 'PROGRAM',
  parse: async (input) => {
    const words = input.trimStart().startsWith('[') ? jsonWords(input) : input.split(/\s+/).filter(Boolean);
    if (words.length === 0) throw new Error('it names no program');
    return words;
  },
});

const server = { helpGroup: 'SERVER' };
const more = { helpGroup: 'OWNER AND REPLICA' };
const store = { helpGroup: 'OBJECT STORE' };
const mail = { helpGroup: 'MAIL' };
const rest = { helpGroup: 'BACKUPS, SIGNING, RESIDENCY' };

/** All that a context can say, as flags. There is none for a secret. */
export const contextFlags = {
  host: textFlag({ description: 'host name, address, or folder of the socket', required: true, ...server }),
  port: countFlag({ description: 'port (5432 when absent)', max: 65_535, ...server }),
  database: textFlag({ description: 'name of the database', required: true, ...server }),
  user: textFlag({ description: 'your own login there', required: true, ...server }),
  sslmode: Flags.option({ options: ['disable', 'require', 'verify-ca', 'verify-full'] as const })({
    description: 'verify-full when absent, disable on this machine',
    ...server,
  }),
  sslrootcert: textFlag({ description: "PEM file of the server's authority", helpValue: 'FILE', ...server }),
  passfile: textFlag({
    description: "password from a file in libpq's pgpass format",
    helpValue: 'FILE',
    ...server,
  }),
  'password-env': textFlag({
    description: 'password from this environment variable',
    helpValue: 'NAME',
    ...server,
  }),
  'password-command': programFlag({ description: 'password printed by this program', ...server }),
  'owner-user': textFlag({ description: 'login that owns the database, for db and bootstrap', ...more }),
  'owner-passfile': textFlag({
    description: "owner's password from a pgpass file",
    helpValue: 'FILE',
    ...more,
  }),
  'owner-password-env': textFlag({
    description: "owner's password from this variable",
    helpValue: 'NAME',
    ...more,
  }),
  'owner-password-command': programFlag({ description: "owner's password printed by this program", ...more }),
  'replica-host': textFlag({ description: 'read replica for heavy reads', ...more }),
  'replica-port': countFlag({ description: 'its port', max: 65_535, ...more }),
  'store-bucket': textFlag({ description: 'bucket for exports, archives and backups', ...store }),
  'store-region': textFlag({ description: 'region of the bucket', ...store }),
  'store-endpoint': textFlag({ description: "https URL; Amazon's of the region when absent", ...store }),
  'store-prefix': textFlag({ description: 'put before every key, ending in a slash', ...store }),
  'store-path-style': Flags.boolean({ description: 'bucket in the path, not in the host name', ...store }),
  'store-ca-file': textFlag({
    description: "PEM file of the endpoint's authority",
    helpValue: 'FILE',
    ...store,
  }),
  'store-profile': textFlag({ description: 'credentials from this AWS profile', ...store }),
  'store-credentials-file': textFlag({ description: 'file of that profile', helpValue: 'FILE', ...store }),
  'store-credentials-command': programFlag({
    description: 'credentials printed by this program as JSON (credential_process)',
    ...store,
  }),
  'mail-host': textFlag({ description: 'SMTP server that codes to persons go by', ...mail }),
  'mail-port': countFlag({ description: 'its port (587; 465 with implicit TLS)', max: 65_535, ...mail }),
  'mail-tls': Flags.option({ options: ['implicit', 'starttls', 'none'] as const })({
    description: 'starttls when absent',
    ...mail,
  }),
  'mail-from': textFlag({ description: 'the address that it comes from', helpValue: 'ADDRESS', ...mail }),
  'mail-reply-to': textFlag({ description: 'the address of answers', helpValue: 'ADDRESS', ...mail }),
  'mail-user': textFlag({ description: 'login there', ...mail }),
  'mail-password-env': textFlag({
    description: 'its password from this variable',
    helpValue: 'NAME',
    ...mail,
  }),
  'mail-password-command': programFlag({ description: 'its password printed by this program', ...mail }),
  'mail-ca-file': textFlag({ description: "PEM file of the server's authority", helpValue: 'FILE', ...mail }),
  'backup-engine': Flags.option({ options: ['pgbackrest', 'supabase', 'local'] as const })({
    description: 'what makes the backups',
    ...rest,
  }),
  'backup-stanza': textFlag({ description: 'stanza of pgBackRest', ...rest }),
  'backup-config': textFlag({ description: 'configuration file of pgBackRest', helpValue: 'FILE', ...rest }),
  'backup-project': textFlag({ description: 'reference of the Supabase project', ...rest }),
  'backup-token-command': programFlag({ description: 'Supabase token printed by this program', ...rest }),
  'signing-key': textFlag({ description: 'Ed25519 key, PEM, closed to others', helpValue: 'FILE', ...rest }),
  'signing-key-command': programFlag({ description: 'the key printed by this program', ...rest }),
  'evidence-folder': textFlag({ description: 'where signed records are kept', helpValue: 'FOLDER', ...rest }),
  'evidence-retain-days': countFlag({
    description: 'how long the store locks records carried there (731 when absent)',
    max: 36_500,
    ...rest,
  }),
  region: Flags.string({
    description: 'region in which data may lie; again for more (Canadian ones when absent)',
    multiple: true,
    ...rest,
  }),
};

type Given = Readonly<Record<string, unknown>>;

/** The settings that the flags describe, in the shape of the context file, which checks them. */
export function contextSettings(
  flags: Given & { host: string; database: string; user: string },
): ContextSettings {
  const only = (fields: Given) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== false));
  const section = (name: string, fields: Given, needed: readonly string[]) => {
    const given = only(fields);
    if (Object.keys(given).length === 0) return undefined;
    const missing = needed.filter((key) => given[key] === undefined);
    if (missing.length === 0) return given;
    const names = missing.map((key) => `--${name}-${key.replaceAll('_', '-')}`);
    throw new NestctlError(`These belong together: ${names.join(', ')} is missing.`, {
      kind: 'usage',
      code: 'missing_flag',
    });
  };
  return only({
    kind: 'server',
    host: flags.host,
    port: flags.port ?? 5432,
    database: flags.database,
    user: flags.user,
    sslmode: flags.sslmode,
    sslrootcert: flags.sslrootcert,
    passfile: flags.passfile,
    password_env: flags['password-env'],
    password_command: flags['password-command'],
    owner: section(
      'owner',
      {
        user: flags['owner-user'],
        passfile: flags['owner-passfile'],
        password_env: flags['owner-password-env'],
        password_command: flags['owner-password-command'],
      },
      ['user'],
    ),
    replica: section('replica', { host: flags['replica-host'], port: flags['replica-port'] }, ['host']),
    object_store: section(
      'store',
      {
        endpoint: flags['store-endpoint'],
        bucket: flags['store-bucket'],
        region: flags['store-region'],
        prefix: flags['store-prefix'],
        path_style: flags['store-path-style'],
        ca_file: flags['store-ca-file'],
        profile: flags['store-profile'],
        credentials_file: flags['store-credentials-file'],
        credentials_command: flags['store-credentials-command'],
      },
      ['bucket', 'region'],
    ),
    mail: section(
      'mail',
      {
        host: flags['mail-host'],
        port: flags['mail-port'],
        tls: flags['mail-tls'],
        from: flags['mail-from'],
        reply_to: flags['mail-reply-to'],
        user: flags['mail-user'],
        password_env: flags['mail-password-env'],
        password_command: flags['mail-password-command'],
        ca_file: flags['mail-ca-file'],
      },
      ['host', 'from'],
    ),
    backup: section(
      'backup',
      {
        engine: flags['backup-engine'],
        stanza: flags['backup-stanza'],
        config: flags['backup-config'],
        project: flags['backup-project'],
        token_command: flags['backup-token-command'],
      },
      flags['backup-engine'] === 'pgbackrest'
        ? ['engine', 'stanza']
        : flags['backup-engine'] === 'supabase'
          ? ['engine', 'project']
          : ['engine'],
    ),
    signing_key: section(
      'signing-key',
      { file: flags['signing-key'], command: flags['signing-key-command'] },
      [],
    ),
    evidence: section(
      'evidence',
      { folder: flags['evidence-folder'], retain_days: flags['evidence-retain-days'] },
      [],
    ),
    residency: section('region', { regions: flags.region }, []),
  }) as ContextSettings;
}

function jsonWords(input: string): string[] {
  const words: unknown = parseJson(input);
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  throw new Error('it is no JSON array of words');
}

function parseJson(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}
