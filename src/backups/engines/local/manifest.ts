import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { NestctlError } from '../../../platform/errors.js';

export interface ManifestFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256, hex. */
  readonly sha256: string;
}

/** A `backup_manifest`, as backup-manifest-format of PostgreSQL's documentation has it. */
export interface Manifest {
  readonly files: ReadonlyMap<string, ManifestFile>;
  /** Null before version 2 of its format. */
  readonly system: string | null;
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
}

interface Written {
  readonly 'PostgreSQL-Backup-Manifest-Version': number;
  readonly Files: readonly {
    readonly Path?: string;
    readonly 'Encoded-Path'?: string;
    readonly Size: number;
    readonly 'Checksum-Algorithm'?: string;
    readonly Checksum?: string;
  }[];
  readonly 'Manifest-Checksum': string;
}

/** Throws `manifest_damaged` where it is not as it was written. */
export async function readManifest(path: string): Promise<Manifest> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) throw damaged('is not there');
  const text = bytes.toString('utf8');
  // Its last line is the checksum of all before it.
  const [, body, sum] = /^([\s\S]*\n)"Manifest-Checksum": "([0-9a-f]{64})"\}\n?$/.exec(text) ?? [];
  if (body === undefined || createHash('sha256').update(body).digest('hex') !== sum)
    throw damaged('is not as it was written');
  const written = JSON.parse(text) as Written;
  const files = written.Files.map((file): [string, ManifestFile] => {
    const encoded = file['Encoded-Path'];
    const name = encoded === undefined ? (file.Path ?? '') : Buffer.from(encoded, 'hex').toString('utf8');
    if (file['Checksum-Algorithm'] !== 'SHA256' || file.Checksum === undefined)
      throw damaged('has a file without SHA-256');
    return [name, { path: name, size: file.Size, sha256: file.Checksum }];
  });
  return {
    files: new Map(files),
    // A number above 2^53: as text it loses nothing.
    system: /"System-Identifier":\s*(\d+)/.exec(text)?.[1] ?? null,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

const damaged = (how: string) =>
  new NestctlError(`The manifest of the backup ${how}.`, {
    kind: 'finding',
    code: 'manifest_damaged',
    hint: 'Nothing can be restored from this one: take another, and find out what damaged it.',
    next: 'nestctl backup list',
  });
