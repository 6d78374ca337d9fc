import { NestctlError } from '../errors.js';
import { allowsRegion, type ResidencyPolicy } from '../residency-policy.js';
import type { Client } from './client.js';
import type { SdkError } from './retry.js';
import { describeStore } from './settings.js';
import { clockSkew, isAbsent } from './store-errors.js';

/**
 * Finds out where the bucket lies and throws unless it is where the policy and the context say:
 * `residency_refused`, `residency_unknown` (which is no pass), `store_region_wrong`. Sends no data.
 */
export async function requireRegion(client: Client, policy: ResidencyPolicy): Promise<string> {
  const { settings } = client;
  const store = describeStore(settings);
  const region = await bucketRegion(client);
  if (region === undefined) {
    throw new NestctlError(`Where the bucket ${store} lies cannot be found out. Nothing was sent.`, {
      kind: 'not_allowed',
      code: 'residency_unknown',
      hint: 'The store does not tell: the credentials are wrong, have expired, or lack s3:ListBucket and s3:GetBucketLocation.',
    });
  }
  if (!allowsRegion(policy, region)) {
    throw new NestctlError(`The bucket ${store} lies in ${region}, where no data may go. Nothing was sent.`, {
      kind: 'not_allowed',
      code: 'residency_refused',
      hint: `The residency policy allows ${policy.regions.join(', ')}.`,
    });
  }
  if (region.toLowerCase() !== settings.region.toLowerCase()) {
    throw new NestctlError(`The bucket ${store} lies in ${region}, the context says ${settings.region}.`, {
      kind: 'conflict',
      code: 'store_region_wrong',
      hint: `Set region = "${region}" for the object store of the context.`,
    });
  }
  return region;
}

/**
 * HeadBucket tells the region even where it is refused; stores that are not Amazon's may leave it to
 * GetBucketLocation, whose null is us-east-1 and whose EU is eu-west-1.
 */
export async function bucketRegion(client: Client): Promise<string | undefined> {
  const { HeadBucketCommand, GetBucketLocationCommand } = client.sdk;
  const Bucket = client.settings.bucket;
  const told = await client.s3.send(new HeadBucketCommand({ Bucket })).then(
    ({ BucketRegion }) => BucketRegion,
    (error: SdkError) => {
      const region = error.$response?.headers?.['x-amz-bucket-region'];
      // Amazon answers an expired token with a bare 400. The SDK would quietly mend its clock for the second request.
      const refused =
        /^40[013]$/.test(`${error.$response?.statusCode}`) && Math.abs(clockSkew(error)) < 15 * 60_000;
      if (region === undefined && !refused)
        throw isAbsent(error) ? unknownBucket(client) : client.explain(error);
      return region;
    },
  );
  if (told !== undefined) return regionIn(told);
  // The answer to HEAD has no body: this one also says why credentials were refused.
  const { LocationConstraint } = await client
    .run((s3) => s3.send(new GetBucketLocationCommand({ Bucket })))
    .catch((error: unknown) => {
      if (error instanceof NestctlError && error.code === 'store_denied') return { LocationConstraint: '?' };
      throw error;
    });
  if (LocationConstraint === '?') return undefined;
  if (LocationConstraint === undefined || LocationConstraint === '') return 'us-east-1';
  return LocationConstraint === 'EU' ? 'eu-west-1' : regionIn(LocationConstraint);
}

/** The region in what a store calls a bucket's location: IBM's carries the storage class too, as `ca-tor-smart`. */
export function regionIn(location: string): string {
  return location.replace(/-(standard|vault|cold|smart|flex|onerate_active)$/, '');
}

function unknownBucket({ settings }: Client): NestctlError {
  return new NestctlError(`There is no bucket ${describeStore(settings)}.`, {
    kind: 'not_found',
    code: 'bucket_unknown',
    hint: 'Check bucket, endpoint and path_style of the object store in the context.',
  });
}
