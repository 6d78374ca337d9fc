export { describeSource, readCredentials } from './credentials.js';
export type { SendOptions, Sent, StoredObject } from './object.js';
export { type ObjectStore, openObjectStore } from './object-store.js';
export { lockMissing } from './retention.js';
export { type CredentialSource, describeStore, type StoreSettings } from './settings.js';
export type { Version } from './versions.js';
