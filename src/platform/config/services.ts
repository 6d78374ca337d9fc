import type { CredentialSource, StoreSettings } from '../object-store/settings.js';
import { DEFAULT_RESIDENCY, type ResidencyPolicy } from '../residency-policy.js';
import type { Context } from './contexts.js';
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

/** Where data may lie: what the context says, else the Canadian regions. */
export function residencyPolicy(context: Context): ResidencyPolicy {
  return context.residency ?? DEFAULT_RESIDENCY;
}

/** The file of the signing key, or the program that prints it; undefined where the context names none. */
export function signingKeySource({ signing_key: key }: Context): string | undefined {
  return key?.file === undefined ? key?.command?.[0] : resolveBeside(contextFilePath(), key.file);
}
