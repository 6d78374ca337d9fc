import { join } from 'node:path';
import type { SmallFamily } from './small-world.js';

/** What the runs are about. */
export interface InterfaceWorld {
  readonly family: SmallFamily;
  /** A folder of the test's own. */
  readonly folder: string;
}

export interface InterfaceRun {
  /** Words after the command, harmless to repeat: for terminal, pipe and no stdin, in text and in JSON. */
  readonly everywhere?: readonly string[];
  /** Run once with --json, in the order of the commands here, for the shapes of what can be done only once. */
  readonly once?: readonly (readonly string[])[];
}

const WHY = ['--reason', 'Grandma cannot see the log', '--ticket', 'SUP-1'];

/**
 * How each command is run to learn its interface. One that is not here is run without arguments everywhere, which
 * shows how it refuses, but not what it answers.
 */
export function interfaceRuns({ family, folder }: InterfaceWorld): Record<string, InterfaceRun> {
  const ofFamily = ['--family', family.id];
  return {
    'access:diagnose': { everywhere: ['--user', family.gran.email, ...ofFamily, ...WHY] },
    'access:explain': {
      everywhere: ['--user', family.gran.email, '--table', 'families', '--row', family.id, ...WHY],
    },
    'access:list': { everywhere: ['--ended'] },
    'access:prove': { everywhere: ['--table', 'usage_logs', '--no-mutation'] },
    'access:matrix': { everywhere: [...ofFamily, ...WHY] },
    'access:open': {
      everywhere: [...ofFamily, ...WHY, '--dry-run'],
      once: [
        [...ofFamily, ...WHY],
        ['--directory', ...WHY],
      ],
    },
    'analytics:refresh': { everywhere: WHY },
    'analytics:usage': { everywhere: [], once: [ofFamily] },
    'audit:blame': { everywhere: ['families', family.id, '--duty', 'auditor'] },
    'audit:coverage': { everywhere: ['--duty', 'auditor'] },
    'audit:export': {
      everywhere: ['--duty', 'auditor', '--output', join(folder, 'events.csv'), '--overwrite'],
    },
    // What is followed has no end, and no one document: refused alike everywhere.
    'audit:follow': { everywhere: ['--once', '--output', join(folder, 'followed')] },
    'audit:history': { everywhere: ['families', family.id, '--duty', 'auditor'] },
    'audit:query': { everywhere: [...ofFamily, '--duty', 'auditor'] },
    'audit:seal': { everywhere: ['--status'] },
    'audit:show': { everywhere: ['1', '--duty', 'auditor'] },
    'audit:stats': { everywhere: ['--duty', 'auditor'] },
    'child:show': { everywhere: [family.child, ...ofFamily, ...WHY] },
    'context:add': {
      everywhere: ['new', '--host', 'h.example.ca', '--database', 'd', '--user', 'u', '--dry-run'],
    },
    'context:check': { everywhere: [] },
    'context:list': { everywhere: [] },
    'context:remove': { everywhere: ['test', '--dry-run'] },
    'context:show': { everywhere: [] },
    'context:use': { everywhere: ['test'] },
    'db:docs': { everywhere: ['--check'] },
    'db:history': { everywhere: [] },
    'db:migrate': { everywhere: ['--yes'] },
    'db:rollback': { everywhere: ['--dry-run'] },
    'db:status': { everywhere: [] },
    doctor: { everywhere: [] },
    'evidence:key:create': {
      once: [
        ['--reason', 'first'],
        ['--for', 'ledger', '--reason', 'first'],
      ],
    },
    'evidence:key:publish': { everywhere: [], once: [['--to', join(folder, 'keys.json')]] },
    'evidence:key:rotate': { everywhere: ['--reason', 'yearly', '--dry-run'] },
    'evidence:key:retire': { everywhere: ['--reason', 'gone', '--dry-run'] },
    'evidence:list': { everywhere: [] },
    'evidence:show': { everywhere: ['keys/1'] },
    'evidence:verify': { everywhere: [] },
    'family:list': { everywhere: ['--name', 'Tremblay', ...WHY] },
    'family:show': { everywhere: [family.id, ...WHY] },
    'local:reset': { everywhere: ['--dry-run'] },
    'local:status': { everywhere: [] },
    'access:lint': { everywhere: [] },
    'invitation:list': { everywhere: [...ofFamily, ...WHY] },
    'member:list': { everywhere: [...ofFamily, ...WHY] },
    'maintenance:run': { everywhere: ['--all', '--dry-run', ...WHY] },
    'maintenance:schedule': { everywhere: [] },
    'maintenance:status': { everywhere: [] },
    'access:close': { everywhere: ['00000000-0000-4000-8000-000000000000'], once: [['--all']] },
  };
}
