/** A process that uploads a file, for a test to kill: SETTINGS as JSON, KEY, PATH. Prints what was stored. */
import { openObjectStore, type StoreSettings } from '../../src/platform/object-store/index.js';
import { DEFAULT_RESIDENCY } from '../../src/platform/residency-policy.js';

const [settings = '', key = '', path = ''] = process.argv.slice(2);
const store = await openObjectStore(JSON.parse(settings) as StoreSettings, DEFAULT_RESIDENCY);
process.stdout.write(JSON.stringify(await store.upload(key, path)));
store.close();
