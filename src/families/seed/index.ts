import type { SeedOptions, SeedReport } from './seed-families.js';

export type { SeedOptions, SeedProgress, SeedReport } from './seed-families.js';

/** See seed-families.ts. Loaded when called: listing families must not wait for what makes them up. */
export async function seedFamilies(options: SeedOptions): Promise<SeedReport> {
  return await (await import('./seed-families.js')).seedFamilies(options);
}
