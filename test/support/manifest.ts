import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';

export interface ManifestFlag {
  readonly name: string;
  readonly type: 'option' | 'boolean';
  readonly char?: string;
  readonly helpValue?: string;
  readonly options?: readonly string[];
  readonly exclusive?: readonly string[];
  readonly dependsOn?: readonly string[];
  readonly required?: boolean;
  readonly multiple?: boolean;
  readonly allowNo?: boolean;
  readonly env?: string;
  readonly default?: unknown;
}

export interface ManifestCommand {
  readonly id: string;
  readonly summary?: string;
  readonly flags: Readonly<Record<string, ManifestFlag>>;
  readonly args: Readonly<
    Record<
      string,
      { readonly name: string; readonly required?: boolean; readonly options?: readonly string[] }
    >
  >;
}

/** Every command that the build found, in order of their ids. */
export function manifestCommands(): ManifestCommand[] {
  const text = readFileSync(join(packageRoot(), 'oclif.manifest.json'), 'utf8');
  const { commands } = JSON.parse(text) as { commands: Record<string, ManifestCommand> };
  return Object.values(commands).sort((a, b) => (a.id < b.id ? -1 : 1));
}
