import { sslModeOf } from '../database/target.js';
import { describeSource } from '../object-store/credentials.js';
import { endpointOf, type StoreSettings } from '../object-store/settings.js';
import { type Context, operatorTarget, ownerTarget, replicaTarget } from './contexts.js';
import { evidencePlaces } from './evidence-places.js';
import { contextFilePath } from './paths.js';
import {
  exportStoreSettings,
  mailSettings,
  outsideServices,
  residencyPolicy,
  signingKeySource,
  storeSettings,
} from './services.js';

/** A context as it may be shown: no credentials, paths resolved. */
export function describeContext(context: Context) {
  const operator = operatorTarget(context);
  const owner = context.owner === undefined ? undefined : ownerTarget(context);
  const replica = replicaTarget(context);
  return {
    name: context.name,
    kind: context.kind,
    host: operator.host,
    port: operator.port,
    database: operator.database,
    user: operator.user,
    owner: owner?.user ?? null,
    sslmode: sslModeOf(operator),
    password_from: passwordSource(context, operator.passfile),
    owner_password_from:
      owner === undefined
        ? null
        : passwordSource(context.owner ?? {}, context.owner?.passfile ?? owner.passfile),
    replica: replica === undefined ? null : `${replica.host}:${replica.port}`,
    object_store: describeObjectStore(storeSettings(context)),
    export_store:
      context.export_store === undefined ? null : describeObjectStore(exportStoreSettings(context)),
    backup: context.backup?.engine ?? null,
    signing_key: signingKeySource(context) ?? null,
    evidence: { folder: evidencePlaces(context).records, retain_days: context.evidence?.retain_days ?? null },
    residency: residencyPolicy(context).regions,
    mail: describeMailServer(context),
    outside: describeOutside(context),
    file: contextFilePath(),
  };
}

function describeObjectStore(store: StoreSettings | undefined) {
  if (store === undefined) return null;
  return {
    endpoint: endpointOf(store),
    bucket: store.bucket,
    region: store.region,
    prefix: store.prefix,
    path_style: store.pathStyle,
    credentials_from: describeSource(store.credentials),
  };
}

function describeOutside(context: Context) {
  const services = Object.entries(outsideServices(context));
  if (services.length === 0) return null;
  return Object.fromEntries(services.map(([recipient, { adapter, url }]) => [recipient, { adapter, url }]));
}

function describeMailServer(context: Context) {
  const settings = mailSettings(context);
  if (settings === undefined) return null;
  const { host, port, tls, from, login } = settings;
  return {
    ...{ host, port, tls, from },
    reply_to: settings.replyTo ?? null,
    user: login?.user ?? null,
    password_from: context.mail?.password_command?.[0] ?? context.mail?.password_env ?? null,
  };
}

function passwordSource(
  own: { readonly password_command?: string[] | undefined; readonly password_env?: string | undefined },
  passfile: string | undefined,
): string {
  return own.password_command?.[0] ?? own.password_env ?? passfile ?? 'PGPASSWORD or ~/.pgpass';
}
