/** The regions in which data may lie. */
export interface ResidencyPolicy {
  readonly regions: readonly string[];
}

/**
 * Canadian regions, each under the name that its provider gives it: checked in November 2026, with the page where
 * the provider lists them. A region that is not here is refused; a context can name it.
 */
const CANADIAN_REGIONS: readonly string[] = [
  // Amazon: Montréal, Calgary. docs.aws.amazon.com/general/latest/gr/s3.html (Supabase and Wasabi use its names)
  ...['ca-central-1', 'ca-west-1'],
  // Google: Montréal, Toronto. docs.cloud.google.com/storage/docs/locations
  ...['northamerica-northeast1', 'northamerica-northeast2'],
  // Microsoft: Toronto, Québec. learn.microsoft.com/azure/reliability/regions-list
  ...['canadacentral', 'canadaeast'],
  // Oracle. docs.oracle.com/iaas/Content/General/Concepts/regions.htm
  ...['ca-montreal-1', 'ca-toronto-1'],
  // OVHcloud: Beauharnois under its two names, Toronto. github.com/ovh/docs, object_storage/s3_location
  ...['bhs', 'ca-east-bhs', 'ca-east-tor'],
  // IBM, mon01 being a single data centre. cloud.ibm.com/docs/cloud-object-storage, "Endpoints and storage locations"
  ...['ca-mon', 'ca-tor', 'mon01'],
  // DigitalOcean: Toronto. docs.digitalocean.com/products/spaces/details/availability
  'tor1',
  // Backblaze: Toronto. www.backblaze.com/docs/cloud-storage-data-regions
  'ca-east-006',
];

export const DEFAULT_RESIDENCY: ResidencyPolicy = { regions: CANADIAN_REGIONS };

/** Whether data may lie there. Google writes its regions in capitals. */
export function allowsRegion(policy: ResidencyPolicy, region: string): boolean {
  return policy.regions.some((allowed) => allowed.toLowerCase() === region.toLowerCase());
}
