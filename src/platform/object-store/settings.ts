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
}

export type CredentialSource =
  /** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. */
  | { readonly from: 'environment' }
  /** A profile of an AWS credentials file, `~/.aws/credentials` when absent. */
  | { readonly from: 'profile'; readonly name: string; readonly file?: string | undefined }
  /** A program that prints them as AWS's `credential_process` does. */
  | { readonly from: 'command'; readonly command: readonly string[] };

/** `backups at https://s3.example.ca`, for errors. */
export function describeStore(settings: StoreSettings): string {
  return `${settings.bucket} at ${endpointOf(settings)}`;
}

export function endpointOf({ endpoint, region }: Pick<StoreSettings, 'endpoint' | 'region'>): string {
  return endpoint ?? `https://s3.${region}.amazonaws.com`;
}
