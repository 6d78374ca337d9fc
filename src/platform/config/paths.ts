import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** Where the contexts are kept: NESTCTL_CONFIG, else below XDG_CONFIG_HOME, else below ~/.config. */
export function contextFilePath(env: NodeJS.ProcessEnv = process.env): string {
  if (env.NESTCTL_CONFIG) return resolve(env.NESTCTL_CONFIG);
  // The XDG specification has relative values ignored.
  const base =
    env.XDG_CONFIG_HOME && isAbsolute(env.XDG_CONFIG_HOME) ? env.XDG_CONFIG_HOME : join(homedir(), '.config');
  return join(base, 'nestctl', 'contexts.toml');
}

/** A path written in the context file: `~/` is the home folder, relative means beside the file. */
export function resolveBeside(file: string, path: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(2));
  return resolve(dirname(file), path);
}
