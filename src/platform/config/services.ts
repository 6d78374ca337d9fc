import type { Service } from '../http/index.js';
import type { MailSettings } from '../mail/settings.js';
import type { CredentialSource, StoreSettings } from '../object-store/settings.js';
import { DEFAULT_RESIDENCY, type ResidencyPolicy } from '../residency-policy.js';
import type { Context } from './contexts.js';
import { passwordFromCommand, passwordFromEnvironment } from './password-sources.js';
import { contextFilePath, resolveBeside } from './paths.js';
import type { ObjectStoreSettings } from './schema.js';

/** The object store that a context names, its paths resolved; undefined where it names none. */
export function storeSettings({ object_store: store }: Context): StoreSettings | undefined {
  return store === undefined ? undefined : resolved(store);
}

/** Where packages are shared from: a store of its own, whose bucket locks nothing, else the one of the context. */
export function exportStoreSettings({
  export_store: own,
  object_store: store,
}: Context): StoreSettings | undefined {
  const named = own ?? store;
  return named === undefined ? undefined : resolved(named);
}

function resolved(store: ObjectStoreSettings): StoreSettings {
  const file = (path: string | undefined) =>
    path === undefined ? undefined : resolveBeside(contextFilePath(), path);
  const credentials: CredentialSource =
    store.credentials_command !== undefined
      ? { from: 'command', command: store.credentials_command }
      : store.profile !== undefined
        ? { from: 'profile', name: store.profile, file: file(store.credentials_file) }
        : { from: 'environment' };
  return {
    endpoint: store.endpoint?.replace(/\/$/, ''),
    bucket: store.bucket,
    region: store.region,
    prefix: store.prefix ?? '',
    pathStyle: store.path_style ?? false,
    caFile: file(store.ca_file),
    credentials,
    ...(store.encryption === undefined
      ? {}
      : { encryption: { algorithm: store.encryption, key: store.kms_key } }),
  };
}

/** By custom, where the context names no port. */
const MAIL_PORTS = { implicit: 465, starttls: 587, none: 25 } as const;

/** The mail server that a context names; undefined where it names none. */
export function mailSettings({ mail }: Context): MailSettings | undefined {
  if (mail === undefined) return undefined;
  const { host, tls, from, user, password_env: variable, password_command: command } = mail;
  const password = async () =>
    command === undefined ? passwordFromEnvironment(variable ?? '') : await passwordFromCommand(command);
  return {
    ...{ host, tls, from, port: mail.port ?? MAIL_PORTS[tls] },
    replyTo: mail.reply_to,
    login: user === undefined ? undefined : { user, password },
    caFile: mail.ca_file === undefined ? undefined : resolveBeside(contextFilePath(), mail.ca_file),
  };
}

/** Somebody outside who has data from us, and the program that has them erase it. */
export interface OutsideService extends Service {
  readonly adapter: 'stripe' | 'supabase-storage' | 'webhook';
}

/** By recipient, as `privacy.recipients` names them. */
export function outsideServices({ outside = {} }: Context): Readonly<Record<string, OutsideService>> {
  return Object.fromEntries(
    Object.entries(outside).map(([recipient, { adapter, url, key_env: variable, key_command: command }]) => [
      recipient,
      {
        adapter,
        name: `${recipient} (${adapter})`,
        url: (url ?? 'https://api.stripe.com').replace(/\/+$/, ''),
        key: async () =>
          command === undefined
            ? passwordFromEnvironment(variable ?? '')
            : await passwordFromCommand(command, 'key'),
      },
    ]),
  );
}

/** Where data may lie: what the context says, else the Canadian regions. */
export function residencyPolicy(context: Context): ResidencyPolicy {
  return context.residency ?? DEFAULT_RESIDENCY;
}

/** The file of the signing key, or the program that prints it; undefined where the context names none. */
export function signingKeySource({ signing_key: key }: Context): string | undefined {
  return key?.file === undefined ? key?.command?.[0] : resolveBeside(contextFilePath(), key.file);
}
