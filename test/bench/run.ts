/**
 * `npm run bench [-- [--quick] [FIGURE…]]`: measures what the project promises. A whole run writes RESULTS.md; one
 * of chosen figures, or a quick one with few rows, only prints.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withConnection } from '../../src/platform/database/connection.js';
import { makeTemplate, targetOn } from '../support/database.js';
import { type OwnServer, startTestServer } from '../support/server.js';
import { access } from './figures/access.js';
import { auditExport } from './figures/audit-export.js';
import { auditMemory } from './figures/audit-memory.js';
import { auditQuery } from './figures/audit-query.js';
import { auditedInserts } from './figures/audited-inserts.js';
import { erasureFigure } from './figures/erasure.js';
import { exportFigure } from './figures/export.js';
import { familyList } from './figures/family-list.js';
import { memberSelect } from './figures/member-select.js';
import { sealing } from './figures/sealing.js';
import { seed } from './figures/seed.js';
import { startUp } from './figures/start-up.js';
import { type Bench, holds } from './support/figure.js';
import { machine } from './support/machine.js';
import { findingLine, type Measured, renderResults } from './support/results.js';

const FIGURES = {
  'start-up': startUp,
  'family-list': familyList,
  access,
  'audited-inserts': auditedInserts,
  'member-select': memberSelect,
  'audit-query': auditQuery,
  sealing,
  'audit-export': auditExport,
  'audit-memory': auditMemory,
  erasure: erasureFigure,
  export: exportFigure,
  seed,
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !Object.hasOwn(FIGURES, name));
if (unknown.length > 0)
  throw new Error(`no figure ${unknown.join(', ')}; there are ${Object.keys(FIGURES).join(', ')}`);
const whole = positionals.length === 0 && !values.quick;

const folder = await mkdtemp(join(tmpdir(), 'nestctl-bench-'));
let server: Promise<OwnServer> | undefined;
const bench: Bench = {
  quick: values.quick,
  server: () => {
    server ??= startBenchServer();
    return server;
  },
  folder: () => mkdtemp(join(folder, 'figure-')),
  say: (line) => void process.stderr.write(`  ${line}\n`),
};

async function startBenchServer(): Promise<OwnServer> {
  const started = await startTestServer({
    settings: {
      shared_buffers: '1GB',
      max_wal_size: '16GB',
      maintenance_work_mem: '512MB',
      work_mem: '64MB',
    },
  });
  await makeTemplate(started);
  return started;
}

async function writeResults(measured: readonly Measured[]): Promise<void> {
  const own = await bench.server();
  const [row] = await withConnection(targetOn(own, own.superuser, 'postgres'), (connection) =>
    connection.query<{ server_version: string }>('show server_version'),
  );
  const about = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(row?.server_version ?? 'unknown'),
  };
  await writeFile(new URL('RESULTS.md', import.meta.url), renderResults(measured, about));
}

try {
  const measured: Measured[] = [];
  for (const [name, figure] of Object.entries(FIGURES)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    process.stdout.write(`${figure.title}\n`);
    const report = await figure.measure(bench);
    for (const finding of report.findings) process.stdout.write(`  ${findingLine(finding)}\n`);
    for (const note of report.notes) process.stdout.write(`  ${note}\n`);
    measured.push({ figure, report });
    // After each, so that a run cut short leaves what it has measured.
    if (whole) await writeResults(measured);
  }
  if (measured.some(({ report }) => !report.findings.every(holds))) process.exitCode = 1;
} finally {
  await (await server)?.stop();
  await rm(folder, { recursive: true, force: true });
}
