import { expect, it } from 'vitest';
import { DEFAULT_RESIDENCY } from '../../src/platform/residency-policy.js';
import { measureDatabase } from '../../src/privacy/export/residency.js';
import { placeWords } from '../../src/privacy/export/residency-words.js';

it.each([
  ['aws-1-ca-central-1.pooler.supabase.com', 'ca-central-1', true],
  ['AWS-0-us-east-1.pooler.supabase.com', 'us-east-1', false],
  ['fly-0-sin.pooler.supabase.com', 'sin', false],
  // The direct host says nothing, and a name that is like it is not it.
  ['db.abcdefgh.supabase.co', null, null],
  ['aws-0-ca-central-1.pooler.supabase.com.example', null, null],
  ['127.0.0.1', null, null],
])('of a database at %s the region is %s', (host, region, allowed) => {
  const place = measureDatabase(host, DEFAULT_RESIDENCY);
  expect(place).toMatchObject({ region, allowed });
  expect([place.how === null, place.why === null]).toEqual([region === null, region !== null]);
  expect(placeWords(place).fr).toMatch(region === null ? /^inconnu : / : new RegExp(`^${region} \\(`));
});
