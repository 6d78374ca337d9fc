import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How a process ended, and the most memory it ever had, MiB, as the kernel counted it. Throws where it never was seen. */
export async function peakMemory(
  child: ChildProcess,
): Promise<{ readonly code: number; readonly peak: number }> {
  let peak = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended.
    }
  }, 20);
  const code = await new Promise<number>((resolve) => child.once('close', resolve));
  clearInterval(look);
  if (peak === 0) throw new Error(`process ${child.pid} ended with ${code} before anybody looked`);
  return { code, peak };
}
