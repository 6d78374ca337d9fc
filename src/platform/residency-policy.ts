/** The regions in which data may lie. */
export interface ResidencyPolicy {
  readonly regions: readonly string[];
}

/** Canadian regions, each under its provider's own name. */
const CANADIAN_REGIONS: readonly string[] = [
  // Amazon and those that took over its names
  ...['ca-central-1', 'ca-west-1'],
  // Google
  ...['northamerica-northeast1', 'northamerica-northeast2'],
  // OVHcloud
  ...['bhs', 'ca-east-bhs', 'ca-east-tor'],
  // Oracle
  ...['ca-montreal-1', 'ca-toronto-1'],
  // IBM
  ...['ca-mon', 'ca-tor'],
  // DigitalOcean, Backblaze
  ...['tor1', 'ca-east-006'],
];

export const DEFAULT_RESIDENCY: ResidencyPolicy = { regions: CANADIAN_REGIONS };

/** Whether data may lie there. Google writes its regions in capitals. */
export function allowsRegion(policy: ResidencyPolicy, region: string): boolean {
  return policy.regions.some((allowed) => allowed.toLowerCase() === region.toLowerCase());
}
