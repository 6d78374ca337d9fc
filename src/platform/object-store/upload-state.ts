import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** What an upload under way needs to be gone on with: kept beside its file until it is done. */
export interface UploadState {
  readonly version: 1;
  readonly endpoint: string;
  readonly bucket: string;
  readonly key: string;
  readonly upload_id: string;
  /** Bytes, as is `size`. */
  readonly part_size: number;
  readonly size: number;
  /** Of the whole file, hex. */
  readonly sha256: string;
}

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
    const state = JSON.parse(text) as UploadState;
    const whole = state.version === 1 && state.part_size > 0 && typeof state.upload_id === 'string';
    return whole ? state : undefined;
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
