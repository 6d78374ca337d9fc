import { cpus, totalmem } from 'node:os';

/** What the figures were measured on, without anything that names it. */
export function machine(postgres: string): string {
  const cores = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    `${cores.length} cores (${cores[0]?.model.trim() ?? 'unknown'})`,
    `${gib} GiB memory`,
    `${process.platform} ${process.arch}`,
    `Node ${process.versions.node}`,
    `PostgreSQL ${postgres} (embedded)`,
  ].join(', ');
}
