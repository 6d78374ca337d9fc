/** Where a bucket is, and where the credentials for it come from; never the credentials. */
export interface StoreSettings {
  /** `https://…`; Amazon's own endpoint of the region when absent. */
  readonly endpoint?: string | undefined;
  readonly bucket: string;
  readonly region: string;
  /** Put before every key, such as `nestsync/`; empty for none. */
  readonly prefix: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean;
  /** PEM file of the authority that signed the endpoint's certificate, where the system does not know it. */
  readonly caFile?: string | undefined;
  readonly credentials: CredentialSource;
  /** What the store is asked to encrypt with; what the bucket does by itself when absent. */
  readonly encryption?: StoreEncryption | undefined;
}

export interface StoreEncryption {
  readonly algorithm: 'AES256' | 'aws:kms';
  /** Of the store's key service. */
  readonly key?: string | undefined;
}

export type CredentialSource =
  /** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
  | { readonly from: 'environment' }
  /** A profile of an AWS credentials file, `~/.aws/credentials` when absent. */
  | { readonly from: 'profile'; readonly name: string; readonly file?: string | undefined }
  /** A program that prints them as AWS's `credential_process` does. */
  | { readonly from: 'command'; readonly command: readonly string[] };

/** What a request that stores an object says of it. */
export function encryptionHeaders({ encryption }: Pick<StoreSettings, 'encryption'>) {
  return { ServerSideEncryption: encryption?.algorithm, SSEKMSKeyId: encryption?.key };
}

/** `backups at https://s3.example.ca`, for errors. */
export function describeStore(settings: StoreSettings): string {
  return `${settings.bucket} at ${endpointOf(settings)}`;
}

export function endpointOf({ endpoint, region }: Pick<StoreSettings, 'endpoint' | 'region'>): string {
  return endpoint ?? `https://s3.${region}.amazonaws.com`;
}
