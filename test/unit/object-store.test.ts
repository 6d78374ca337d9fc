import { describe, expect, it } from 'vitest';
import { regionIn } from '../../src/platform/object-store/bucket-region.js';
import { compositeChecksum, sha256 } from '../../src/platform/object-store/checksum.js';
import { fewAtOnce, partSizeFor } from '../../src/platform/object-store/multipart.js';
import { isPassing, waitBefore } from '../../src/platform/object-store/retry.js';
import { allowsRegion, DEFAULT_RESIDENCY } from '../../src/platform/residency-policy.js';
import { systemError } from '../../src/platform/system-errors.js';

const MIB = 1024 * 1024;

describe('the residency policy', () => {
  it('allows the Canadian regions of several providers by default, and nothing near them', () => {
    for (const region of [
      ...['ca-central-1', 'ca-west-1', 'NORTHAMERICA-NORTHEAST1', 'BHS', 'ca-toronto-1', 'canadacentral'],
      ...['ca-tor', 'tor1', 'ca-east-006'],
    ]) {
      expect(allowsRegion(DEFAULT_RESIDENCY, region), region).toBe(true);
    }
    for (const region of ['us-east-1', 'ca-central', 'ca', '', 'eu-west-1', 'ca-central-1.evil']) {
      expect(allowsRegion(DEFAULT_RESIDENCY, region), region).toBe(false);
    }
  });

  it('reads the region out of a location with a storage class, and no more than that', () => {
    expect(regionIn('ca-tor-standard')).toBe('ca-tor');
    expect(regionIn('ca-mon-onerate_active')).toBe('ca-mon');
    expect(regionIn('ca-central-1')).toBe('ca-central-1');
    expect(allowsRegion(DEFAULT_RESIDENCY, regionIn('us-south-smart'))).toBe(false);
  });
});

describe('waiting before a repetition', () => {
  const timings = { attempts: 6, firstWait: 400 };

  it('grows, has full jitter, and has an end', () => {
    const longest = [1, 2, 3, 4, 20].map((attempt) => waitBefore(attempt, timings, () => 1));
    expect(longest).toEqual([400, 800, 1_600, 3_200, 20_000]);
    expect(waitBefore(3, timings, () => 0)).toBe(0);
    expect(new Set(Array.from({ length: 50 }, () => waitBefore(4, timings))).size).toBeGreaterThan(30);
  });

  const error = (name: string, status?: number, code?: string) =>
    Object.assign(new Error('x'), {
      name,
      ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
      ...(code === undefined ? {} : { code }),
    });

  it('is for what passes, never for a refusal', () => {
    for (const passing of [
      error('InternalError', 500),
      error('SlowDown', 503),
      error('RequestTimeout', 400),
      error('Unknown', 429),
      error('TimeoutError'),
      error('Error', undefined, 'ECONNRESET'),
    ]) {
      expect(isPassing(passing), passing.name).toBe(true);
    }
    for (const final of [
      error('AccessDenied', 403),
      error('RequestTimeTooSkewed', 403),
      error('NoSuchKey', 404),
      error('PreconditionFailed', 412),
      error('NotImplemented', 501),
      error('Error', 403, 'ECONNRESET'),
      error('Error', undefined, 'CERT_HAS_EXPIRED'),
      error('Error', undefined, 'ENOTFOUND'),
    ]) {
      expect(isPassing(final), final.name).toBe(false);
    }
  });
});

describe('parts', () => {
  it('are 8 MiB, and larger only where there would be more than 10,000', () => {
    expect(partSizeFor(0)).toBe(8 * MIB);
    expect(partSizeFor(0, 5)).toBe(5 * MIB);
    expect(partSizeFor(80_000 * MIB)).toBe(8 * MIB);
    expect(partSizeFor(80_000 * MIB + 1)).toBe(9 * MIB);
    const largest = 5 * 1024 ** 4;
    expect(largest / partSizeFor(largest)).toBeLessThanOrEqual(10_000);
  });

  it('have the checksum of their checksums, as Amazon documents it', () => {
    const parts = [Buffer.from('a'), Buffer.from('b')].map(sha256);
    // printf a|sha256sum and printf b|sha256sum, as bytes one after the other, through sha256sum and base64
    expect(compositeChecksum(parts)).toBe('5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo=-2');
  });

  it('are worked on a few at a time, and no new one after a failure', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const work = async (item: number) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      if (item === 6) throw new Error('six');
      done.push(item);
    };
    const items = Array.from({ length: 40 }, (_, at) => at);
    await fewAtOnce(items.slice(0, 5), work);
    expect(done.sort()).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(4);
    await expect(fewAtOnce(items, work)).rejects.toThrow('six');
    expect(running).toBe(0);
    expect(done.length).toBeLessThan(5 + 12);
  });
});

describe('errors of the file system', () => {
  it('are sentences', async () => {
    const { open } = await import('node:fs/promises');
    const missing = await open('/nonexistent/file').catch(systemError);
    expect(missing).toMatchObject({
      code: 'file_missing',
      message: '/nonexistent/file is not there (ENOENT).',
    });
    expect(await open('/tmp', 'w').catch(systemError)).toMatchObject({ code: 'file_is_folder' });
    expect(
      await open('/dev/full', 'w')
        .then((file) => file.write('x'))
        .catch(systemError),
    ).toMatchObject({
      code: 'disk_full',
    });
    expect(systemError(new Error('x'))).toBeUndefined();
  });
});
