// The build puts this file and zod into one: zod's many files would cost a command as much as Node's own start.
import { z } from 'zod';
import { evidenceSettings, signingSettings } from './evidence-settings.js';

const sslmode = z.enum(['disable', 'require', 'verify-ca', 'verify-full']);

/** How to reach a server and prove who one is. Credentials are named, never held. */
const connection = {
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  database: z.string().min(1),
  user: z.string().min(1),
  passfile: z.string().min(1),
  password_command: z.array(z.string()).min(1),
  sslmode,
  sslrootcert: z.string().min(1),
};

const owner = z.strictObject({ ...z.object(connection).partial().shape, user: connection.user });

const context = z.strictObject({
  ...z.object(connection).partial().shape,
  kind: z.enum(['local', 'server']),
  host: connection.host,
  port: connection.port.default(5432),
  database: connection.database,
  user: connection.user,
  owner: owner.optional(),
  signing: signingSettings.optional(),
  evidence: evidenceSettings.optional(),
});

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
