import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Context } from '../config/contexts.js';
import { evidencePlaces } from '../config/evidence-places.js';
import { contextFilePath, resolveBeside } from '../config/paths.js';
import { exportStoreSettings, residencyPolicy, signingKeySource, storeSettings } from '../config/services.js';
import { type Finding, finding } from '../doctor/finding.js';
import {
  describeSource,
  describeStore,
  openObjectStore,
  readCredentials,
  type StoreSettings,
} from '../object-store/index.js';
import { loadSigningKey } from '../signing/signing-key.js';
import { attempt } from './attempt.js';

/** Credentials, reach and region of the object store. Sends nothing that is kept. */
export async function checkObjectStore(context: Context): Promise<Finding[]> {
  const settings = storeSettings(context);
  const shared = context.export_store === undefined ? undefined : exportStoreSettings(context);
  return [
    ...(settings === undefined
      ? [finding('object store', 'info', 'none is named')]
      : await checkStore('object store', settings, context)),
    ...(shared === undefined ? [] : await checkStore('export store', shared, context)),
  ];
}

async function checkStore(what: string, settings: StoreSettings, context: Context): Promise<Finding[]> {
  const object = describeStore(settings);
  const source = describeSource(settings.credentials);
  const credentials = await attempt(`${what} credentials`, async () => {
    await readCredentials(settings.credentials);
    return [finding(`${what} credentials`, 'ok', `from ${source}`)];
  });
  if (credentials.some(({ level }) => level !== 'ok')) {
    return [...credentials, finding(what, 'unknown', 'not asked: there are no credentials', { object })];
  }
  return [
    ...credentials,
    ...(await attempt(what, async () => {
      const store = await openObjectStore(settings, residencyPolicy(context));
      try {
        // The first listing shows that the credentials may read.
        await store.list().next();
        return [
          finding(what, 'ok', `lies in ${store.region}, as the residency policy allows`, {
            object,
          }),
        ];
      } finally {
        store.close();
      }
    })),
  ];
}

/** Whether the signing key can be read by us alone, and is one. */
export async function checkSigningKey(context: Context): Promise<Finding[]> {
  const { key: source } = evidencePlaces(context);
  const object = signingKeySource(context);
  return await attempt('signing key', async () => {
    const remedy = `nestctl evidence key create --context ${context.name}`;
    if ((await loadSigningKey(source)) !== undefined) {
      return [finding('signing key', 'ok', 'an Ed25519 key that others cannot read', withObject(object))];
    }
    return object === undefined
      ? [finding('signing key', 'info', 'none yet: nothing can be signed', { remedy })]
      : [finding('signing key', 'error', 'the file is not there', { object, remedy })];
  });
}

function withObject(object: string | undefined): { object?: string } {
  return object === undefined ? {} : { object };
}

/** Whether this machine has what the backup engine needs. */
export async function checkBackup({ backup, kind }: Context): Promise<Finding[]> {
  switch (backup?.engine) {
    case undefined:
      return [finding('backup engine', 'info', 'none is named')];
    case 'local':
      return [
        kind === 'local'
          ? finding('backup engine', 'ok', 'the one of the embedded PostgreSQL')
          : finding('backup engine', 'error', 'the engine "local" is for the embedded PostgreSQL only'),
      ];
    case 'pgbackrest':
      return await checkPgBackRest(backup.config);
    case 'supabase':
      return [
        process.env.SUPABASE_ACCESS_TOKEN || backup.token_command !== undefined
          ? finding('backup engine', 'unknown', 'Supabase was not asked: this version of nestctl cannot', {
              object: backup.project,
            })
          : finding('backup engine', 'error', 'no token for Supabase', {
              object: backup.project,
              remedy: 'set SUPABASE_ACCESS_TOKEN, or token_command in the context',
            }),
      ];
  }
}

async function checkPgBackRest(config: string | undefined): Promise<Finding[]> {
  const version = await promisify(execFile)('pgbackrest', ['version'], {
    timeout: 10_000,
    env: { PATH: process.env.PATH },
  }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  const path = config === undefined ? undefined : resolveBeside(contextFilePath(), config);
  const readable =
    path === undefined ||
    (await access(path, constants.R_OK).then(
      () => true,
      () => false,
    ));
  return [
    version === undefined
      ? finding('backup engine', 'error', 'pgbackrest does not run on this machine', {
          remedy: 'install pgBackRest 2.41 or later',
        })
      : finding('backup engine', 'ok', version),
    ...(readable
      ? []
      : [finding('backup engine', 'error', 'its configuration cannot be read', { object: path as string })]),
  ];
}
