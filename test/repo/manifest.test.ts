import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Plugin } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/platform/package-root.js';
import { readSources } from '../support/source-imports.js';

interface Manifest {
  readonly commands: Record<
    string,
    {
      summary?: string;
      examples?: string[];
      flags: Record<string, { description?: string; summary?: string }>;
    }
  >;
}

const manifest = JSON.parse(await readFile(join(packageRoot(), 'oclif.manifest.json'), 'utf8')) as Manifest;

describe('the manifest', () => {
  it('names every command of the sources and no other', () => {
    const ids = readSources('commands').map(({ path }) =>
      path.slice('commands/'.length, -'.ts'.length).replaceAll('/', ':'),
    );
    expect(Object.keys(manifest.commands).sort()).toEqual(ids.sort());
  });

  it('is what the build says today', async () => {
    const options = { ignoreManifest: true, respectNoCacheDefault: true, errorOnManifestCreate: true };
    const fresh = new Plugin({ root: packageRoot(), type: 'core', ...options });
    await fresh.load();
    expect(plain(manifest.commands)).toEqual(plain(fresh.manifest.commands));
  });

  it('describes every command and flag, with an example of each command', () => {
    for (const [id, command] of Object.entries(manifest.commands)) {
      expect(command.summary, id).toBeTruthy();
      expect(command.examples?.length, `${id}: examples`).toBeGreaterThan(0);
      for (const [name, flag] of Object.entries(command.flags)) {
        expect(flag.description ?? flag.summary, `${id} --${name}`).toBeTruthy();
      }
    }
  });
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
