import type { Approval, ApprovalState } from '../platform/approvals/index.js';
import { OPERATORS } from '../platform/local/identities.js';
import type { Tone } from './colour.js';
import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import { type Cell, details, text, toned, type View } from './views.js';

/** What is left to do where a write waits for a second operator: exit 8, and the same command again once granted. */
export function pendingOutcome(approval: Approval, context: string | undefined): Outcome {
  const approve = approvingCommand(approval.id, context);
  return {
    result: { approval, approve },
    verdict: 'pending',
    view: [
      text('Nothing was changed yet: a second operator has to approve it.', { mark: 'unknown' }),
      details({
        request: approval.id,
        'approved under': `duty ${approval.approver_duty}`,
        until: approval.expires_at,
        'they type': approve,
        afterwards: 'run this same command again',
      }),
    ],
    next: approve,
  };
}

/** What the approver types. On the embedded database one person plays both, through the other's context. */
export function approvingCommand(id: string, context: string | undefined): string {
  const local = OPERATORS.some((one) => one.context === context);
  const other = local ? OPERATORS.find((one) => one.context !== context) : undefined;
  return commandLine(['approval', 'grant', id, ...(other === undefined ? [] : ['--context', other.context])]);
}

const TONES: Readonly<Record<ApprovalState, Tone>> = {
  pending: 'warn',
  granted: 'good',
  refused: 'bad',
  void: 'bad',
  withdrawn: 'muted',
  used: 'muted',
  expired: 'muted',
};

export function stateCell({ state }: Approval): Cell {
  return toned(TONES[state], state);
}

/** The plan on one line: `add operator jo.roy`. */
export function planText({ plan, action }: Approval): string {
  const { do: what, login, duty, minutes } = plan;
  const parts = [what ?? action, login, duty, minutes === undefined ? undefined : `for ${minutes} min`];
  return parts.filter((part) => part !== undefined).join(' ');
}

/** All of a request, the plan line by line: what the approver consents to. */
export function approvalDetails(approval: Approval): View[] {
  return [
    details({
      request: approval.id,
      state: stateCell(approval),
      action: approval.action,
      'asked by': approval.requested_by,
      reason: approval.reason,
      ticket: approval.ticket,
      asked: approval.requested_at,
      until: approval.expires_at,
      'approved under': `duty ${approval.approver_duty}`,
      'decided by': approval.decided_by ?? undefined,
      decided: approval.decided_at ?? undefined,
      because: approval.decided_reason ?? undefined,
      used: approval.used_at ?? undefined,
    }),
    text('It would:'),
    details(
      Object.fromEntries(Object.entries(approval.plan).map(([key, value]) => [`  ${key}`, plain(value)])),
    ),
    text(`bound by SHA-256 ${approval.plan_hash}`, { tone: 'muted' }),
  ];
}

function plain(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
