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
  const ofChild = [...ofFamily, '--child', family.child, '--user', family.core.id, ...WHY];
  const byBirth = ['--basis', 'parent', '--evidence', 'act_of_birth', '--from', '2025-02-03'];
  const inCourt = ['--basis', 'litigation', '--matter', 'a parenting order'];
  const asked = [
    '--kind',
    'access',
    '--asks',
    'everything',
    '--channel',
    'mail',
    '--zone',
    'UTC',
    '--language',
    'fr',
  ];
  const number = `REQ-${new Date().getUTCFullYear()}-0001`;
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
    'consent:history': { everywhere: [family.core.id, ...WHY] },
    'consent:show': { everywhere: [family.core.id, ...WHY] },
    'context:add': {
      everywhere: ['new', '--host', 'h.example.ca', '--database', 'd', '--user', 'u', '--dry-run'],
    },
    'context:check': { everywhere: [] },
    'context:list': { everywhere: [] },
    'context:remove': { everywhere: ['test', '--dry-run'] },
    'context:show': { everywhere: [] },
    'context:use': { everywhere: ['test'] },
    'datamap:check': { everywhere: [] },
    'datamap:explain': { everywhere: ['emergency_profiles.contact_name'] },
    'datamap:show': { everywhere: ['--table', 'usage_logs'] },
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
    'export:list': { everywhere: ['--user', family.core.id, ...WHY] },
    'export:plan': { everywhere: ['--user', family.core.id, ...WHY] },
    'export:review': { everywhere: ['--user', family.core.id, ...WHY] },
    'export:verify': { everywhere: [join(folder, 'keys.json')] },
    'family:list': { everywhere: ['--name', 'Tremblay', ...WHY] },
    'family:show': { everywhere: [family.id, ...WHY] },
    'local:reset': { everywhere: ['--dry-run'] },
    'local:status': { everywhere: [] },
    'access:lint': { everywhere: [] },
    'erasure:cancel': { everywhere: ['REQ-1999-0001', '--dry-run', ...WHY] },
    'erasure:ledger:list': { everywhere: [] },
    'erasure:ledger:verify': { everywhere: [] },
    'erasure:list': { everywhere: [], once: [['--all']] },
    'erasure:plan': { everywhere: ['REQ-1999-0001', ...WHY] },
    'erasure:replay': { everywhere: ['--after-restore', '--dry-run', ...WHY] },
    'erasure:run': { everywhere: ['REQ-1999-0001', '--dry-run', ...WHY] },
    'erasure:show': { everywhere: ['REQ-1999-0001'] },
    'erasure:verify': { everywhere: ['REQ-1999-0001', '--dry-run', ...WHY] },
    'guardian:add': {
      everywhere: [...ofChild, ...byBirth, '--dry-run'],
      once: [[...ofChild, ...byBirth, '--yes']],
    },
    'guardian:list': { everywhere: [...ofFamily, ...WHY], once: [[...ofFamily, ...WHY]] },
    'hold:list': { everywhere: [], once: [['--all']] },
    'hold:place': {
      everywhere: ['--user', family.core.id, ...inCourt, '--dry-run', ...WHY],
      once: [['--family', family.id, ...inCourt, ...WHY, '--yes']],
    },
    'hold:release': { everywhere: ['HOLD-1999-0001', '--dry-run', ...WHY] },
    'hold:review': { everywhere: ['HOLD-1999-0001', '--dry-run', ...WHY] },
    'hold:show': { everywhere: ['HOLD-1999-0001'] },
    'invitation:list': { everywhere: [...ofFamily, ...WHY] },
    'member:list': { everywhere: [...ofFamily, ...WHY] },
    'request:open': {
      everywhere: [...asked, '--email', 'tante@example.ca', '--dry-run', ...WHY],
      once: [[...asked, '--email', 'oncle@example.ca', ...WHY, '--yes']],
    },
    'request:list': { everywhere: [], once: [['--all']] },
    'request:letter': {
      everywhere: ['REQ-1999-0001', '--of', 'answer'],
      once: [[number, '--of', 'acknowledgement', '--html', join(folder, 'letter.html')]],
    },
    'request:complaint:open': {
      everywhere: ['REQ-1999-0001', '--to', 'court', '--dry-run', ...WHY],
      once: [[number, '--to', 'commissioner', ...WHY, '--yes']],
    },
    'request:correct': {
      everywhere: [
        ...['REQ-1999-0001', '--table', 'users', '--row', family.core.id, '--column', 'first_name'],
        ...['--value', 'Zoé', '--dry-run', ...WHY],
      ],
    },
    'request:notify': { everywhere: ['REQ-1999-0001', '--recipient', 'payments', '--dry-run', ...WHY] },
    'request:send-code': { everywhere: ['REQ-1999-0001', '--dry-run', ...WHY] },
    'request:show': { everywhere: ['REQ-1999-0001'], once: [[number]] },
    'request:verify-identity': {
      everywhere: ['REQ-1999-0001', '--method', 'signed_in', '--dry-run', ...WHY],
      once: [[number, '--method', 'known_facts', '--failed', ...WHY, '--yes']],
    },
    'maintenance:run': { everywhere: ['--all', '--dry-run', ...WHY] },
    'maintenance:schedule': { everywhere: [] },
    'maintenance:status': { everywhere: [] },
    'access:close': { everywhere: ['00000000-0000-4000-8000-000000000000'], once: [['--all']] },
  };
}
