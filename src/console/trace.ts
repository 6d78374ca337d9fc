import { packageRoot } from '../platform/package-root.js';

/**
 * Where an error came from: kind and frames of it and of its causes. Never a message, which may hold personal
 * data, and no path above the package's own folder.
 */
export function traceOf(error: unknown): string[] {
  const lines: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    lines.push(/^[A-Za-z]\w{0,60}$/.test(at.name) ? at.name : 'Error');
    const frames = (at.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at .*(:\d+:\d+\)?|<anonymous>\)?|native\)?)$/.test(line));
    lines.push(
      ...frames
        .slice(0, 30)
        .map((line) => line.trim().replaceAll(`${packageRoot()}/`, '').replaceAll('file://', '')),
    );
  }
  return lines;
}
