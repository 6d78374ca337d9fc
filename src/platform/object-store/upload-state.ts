import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const schema = z.strictObject({
  version: z.literal(1),
  endpoint: z.string(),
  bucket: z.string(),
  key: z.string(),
  upload_id: z.string(),
  part_size: z.int().positive(),
  size: z.int().positive(),
  sha256: z.string(),
});

/** What an upload under way needs to be gone on with: kept beside its file until it is done. */
export type UploadState = z.infer<typeof schema>;

export function statePath(file: string): string {
  return `${file}.nestctl-upload`;
}

/** The state left by an earlier try; undefined where there is none or it makes no sense. */
export async function readState(file: string): Promise<UploadState | undefined> {
  const text = await readFile(statePath(file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function writeState(file: string, state: UploadState): Promise<void> {
  const draft = `${statePath(file)}.${process.pid}`;
  await writeFile(draft, JSON.stringify(state), { mode: 0o600, flush: true });
  await rename(draft, statePath(file));
}

export async function removeState(file: string): Promise<void> {
  await rm(statePath(file), { force: true });
}
