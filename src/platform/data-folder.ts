import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { NestctlError } from './errors.js';

/**
 * The caller's own data folder. Root's home is usually closed to others, the user of the local server among them,
 * so root keeps its data in /var/lib. NESTCTL_HOME moves it. Throws `bad_home`.
 */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.NESTCTL_HOME !== undefined && env.NESTCTL_HOME !== '') {
    if (isAbsolute(env.NESTCTL_HOME)) return env.NESTCTL_HOME;
    throw new NestctlError('NESTCTL_HOME must be an absolute path.', { kind: 'usage', code: 'bad_home' });
  }
  if (process.geteuid?.() === 0) return '/var/lib/nestctl';
  const base = env.XDG_DATA_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), '.local', 'share'), 'nestctl');
}
