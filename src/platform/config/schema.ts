// The build puts this file and zod into one: zod's many files would cost a command as much as Node's own start.
import { z } from 'zod';
import { holdsPassword } from '../url-password.js';
import { evidenceSettings } from './evidence-settings.js';

const sslmode = z.enum(['disable', 'require', 'verify-ca', 'verify-full']);

/** Whoever pastes a URL with a password in it must not see it in `context show`, nor in the error. */
const text = z
  .string()
  .min(1)
  .refine((value) => !holdsPassword(value), 'give no URL that carries a password');
const program = z.array(text).min(1);

/** A URL may carry a password. Messages never repeat the value. */
const host = text.refine(
  (value) => !/:\/\/|@/.test(value),
  'give a host name, an address or a socket folder, not a URL',
);

/** How to reach a server and prove who one is. Credentials are named, never held. */
const connection = {
  host,
  port: z.int().min(1).max(65_535),
  database: text,
  user: text,
  passfile: text,
  // A password put here by mistake would be shown as the name of a variable.
  password_env: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'give the name of an environment variable, in capitals'),
  password_command: program,
  sslmode,
  sslrootcert: text,
};

const oneSource = (settings: { passfile?: unknown; password_env?: unknown; password_command?: unknown }) =>
  [settings.passfile, settings.password_env, settings.password_command].filter((one) => one !== undefined)
    .length <= 1;
const ONE_SOURCE = 'name one of passfile, password_env and password_command';

const owner = z
  .strictObject({ ...z.object(connection).partial().shape, user: connection.user })
  .refine(oneSource, ONE_SOURCE);

const replica = z
  .strictObject({ ...z.object(connection).partial().shape, host: connection.host })
  .refine(oneSource, ONE_SOURCE);

const endpoint = z.url({ protocol: /^https?$/, error: 'give an https URL' }).refine((value) => {
  const { username, password, search, pathname } = new URL(value);
  return username === '' && password === '' && search === '' && pathname === '/';
}, 'give scheme, host and port alone: no user, password or path');

const objectStore = z
  .strictObject({
    endpoint: endpoint.optional(),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'that is no name of a bucket'),
    region: z.string().regex(/^[A-Za-z0-9-]+$/, 'that is no name of a region'),
    prefix: z
      .string()
      .regex(/^([\w.-]+\/)+$/, 'letters, digits, dot, dash and underscore, ending in a slash')
      .optional(),
    path_style: z.boolean().optional(),
    ca_file: text.optional(),
    profile: text.optional(),
    credentials_file: text.optional(),
    credentials_command: program.optional(),
    encryption: z.enum(['AES256', 'aws:kms']).optional(),
    kms_key: text.optional(),
  })
  .refine(
    (store) => store.kms_key === undefined || store.encryption === 'aws:kms',
    'kms_key needs encryption = "aws:kms"',
  )
  .refine(
    (store) => store.profile === undefined || store.credentials_command === undefined,
    'name one of profile and credentials_command',
  )
  .refine(
    (store) => store.credentials_file === undefined || store.profile !== undefined,
    'credentials_file needs the profile in it',
  );

const backup = z.discriminatedUnion('engine', [
  z.strictObject({ engine: z.literal('local') }),
  z.strictObject({ engine: z.literal('pgbackrest'), stanza: text, config: text.optional() }),
  z.strictObject({
    engine: z.literal('supabase'),
    project: z.string().regex(/^[a-z]{20}$/, 'that is no reference of a Supabase project: 20 letters'),
    token_command: program.optional(),
  }),
]);

const signingKey = z
  .strictObject({ file: text.optional(), command: program.optional() })
  .refine(
    ({ file, command }) => (file === undefined) !== (command === undefined),
    'name one of file and command',
  );

const address = z
  .string()
  .regex(/^[^@\s<>"(),:;\\[\]]+@[A-Za-z0-9.-]+$/, 'give an e-mail address alone, without a name')
  .max(254);

const mail = z
  .strictObject({
    host: host.refine((value) => !value.startsWith('/'), 'give a host name or an address'),
    port: connection.port.optional(),
    tls: z.enum(['implicit', 'starttls', 'none']).default('starttls'),
    from: address,
    reply_to: address.optional(),
    user: text.optional(),
    password_env: connection.password_env.optional(),
    password_command: program.optional(),
    ca_file: text.optional(),
  })
  .refine(
    ({ user, password_env, password_command }) =>
      [password_env, password_command].filter((one) => one !== undefined).length ===
      (user === undefined ? 0 : 1),
    'user goes with one of password_env and password_command',
  );

const outside = z
  .strictObject({
    adapter: z.enum(['stripe', 'supabase-storage', 'webhook']),
    url: z
      .url({ protocol: /^https?$/, error: 'give an https URL' })
      .refine((value) => {
        const { username, password, search, hash } = new URL(value);
        return username === '' && password === '' && search === '' && hash === '';
      }, 'give no user, password or query')
      .optional(),
    key_env: connection.password_env.optional(),
    key_command: program.optional(),
  })
  .refine(({ adapter, url }) => adapter === 'stripe' || url !== undefined, 'url is needed')
  .refine(
    ({ key_env, key_command }) => (key_env === undefined) !== (key_command === undefined),
    'name one of key_env and key_command',
  );

const residency = z.strictObject({ regions: z.array(text).min(1) });

const context = z
  .strictObject({
    ...z.object(connection).partial().shape,
    kind: z.enum(['local', 'server']),
    host: connection.host,
    port: connection.port.default(5432),
    database: connection.database,
    user: connection.user,
    owner: owner.optional(),
    replica: replica.optional(),
    object_store: objectStore.optional(),
    export_store: objectStore.optional(),
    backup: backup.optional(),
    signing_key: signingKey.optional(),
    evidence: evidenceSettings.optional(),
    residency: residency.optional(),
    mail: mail.optional(),
    outside: z.partialRecord(z.enum(['payments', 'email', 'sms', 'push', 'storage']), outside).optional(),
  })
  .refine(oneSource, ONE_SOURCE);

export const CONTEXT_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

export const contextFileSchema = z.strictObject({
  current: z.string().optional(),
  contexts: z
    .record(
      z.string().regex(CONTEXT_NAME, 'a name is letters, digits, dot, dash and underscore, up to 63'),
      context,
    )
    .default({}),
});

/** The file as it is written: TOML keys, unresolved paths. */
export type ContextFile = z.infer<typeof contextFileSchema>;
export type ContextSettings = z.infer<typeof context>;
export type OwnerSettings = z.infer<typeof owner>;
export type ReplicaSettings = z.infer<typeof replica>;
export type ObjectStoreSettings = z.infer<typeof objectStore>;
