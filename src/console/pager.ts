import { spawn } from 'node:child_process';

/** Where there is `less`; otherwise as though it had not been found. */
const USUAL = 'command -v less >/dev/null 2>&1 || exit 127; exec less -FIRX';

/**
 * Shows text in the pager that NESTCTL_PAGER or PAGER names, where people sit at both ends and it is longer than
 * the screen. False where it was not shown: nobody wants a pager, there is none, or it failed.
 */
export async function showInPager(text: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  const pager = (env.NESTCTL_PAGER ?? env.PAGER ?? USUAL).trim();
  if (pager === '' || pager === 'cat' || env.TERM === 'dumb') return false;
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY || !(stdout.rows > 0)) return false;
  if ((await heightOf(text, stdout.columns || 80)) < stdout.rows) return false;
  return await readThrough(pager, text, { LESSCHARSET: 'utf-8', ...env });
}

async function heightOf(text: string, width: number): Promise<number> {
  const { default: widthOf } = await import('fast-string-width');
  const lines = text.trimEnd().split('\n');
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / width)), 0);
}

async function readThrough(pager: string, text: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  // Ctrl-C is the pager's own while it is up.
  const held = process.rawListeners('SIGINT') as NodeJS.SignalsListener[];
  let interrupted = false;
  const note = () => {
    interrupted = true;
  };
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', note);
  try {
    return await new Promise((resolve) => {
      const child = spawn('/bin/sh', ['-c', pager], { stdio: ['pipe', 'inherit', 'inherit'], env });
      child.once('error', () => resolve(false));
      child.once('close', (code, signal) => resolve(code === 0 || signal !== null || interrupted));
      // Whoever has seen enough closes it before the end.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(text);
    });
  } finally {
    process.off('SIGINT', note);
    for (const listener of held) process.on('SIGINT', listener);
  }
}
