export { digestStream } from './checksum.js';
export type { Timings } from './client.js';
export { describeSource, readCredentials } from './credentials.js';
export type { SendOptions, Sent, StoredObject } from './object.js';
export { findBucketRegion, type ObjectStore, openObjectStore } from './object-store.js';
export { lockMissing } from './retention.js';
export { type CredentialSource, describeStore, endpointOf, type StoreSettings } from './settings.js';
export type { Version } from './versions.js';
