import type { Approval } from '../platform/approvals/index.js';
import { pendingOutcome } from './approval-views.js';
import type { Outcome } from './outcome.js';
import { text, type View } from './views.js';

/** A write in four steps: plan, guard (shown and consented to), apply, and a view of what was read back. */
export interface Change<Plan extends object, Done> {
  /** Finds out what would be done, changing nothing; throws where it may not be. */
  readonly plan: () => Promise<Plan>;
  /** What --dry-run prints, and what consent is given to. */
  readonly show: (plan: Plan) => View | readonly View[];
  /** Neither banner nor plan, for what a timer runs. */
  readonly quiet?: boolean;
  /** Whether the plan has nothing in it: it is shown, and nobody is asked. */
  readonly nothing?: (plan: Plan) => boolean;
  /** Yes or no, naming what is about to happen; left out for what needs no consent. */
  readonly question?: (plan: Plan) => string;
  /**
   * For what a second operator approves: files the request for the plan, or finds it granted. One line does:
   * `approval: (plan) => requestApproval(session, 'operator', plan)`.
   */
  readonly approval?: ((plan: Plan) => Promise<Approval>) | undefined;
  /** Whether the plan only goes on with what was approved. */
  readonly approved?: (plan: Plan) => boolean;
  /** Does it, and reads back what was done. */
  readonly apply: (plan: Plan) => Promise<Done>;
  readonly done: (done: Done, plan: Plan) => Outcome;
}

export interface ChangeScreen {
  readonly dryRun: boolean;
  readonly announce: () => void;
  readonly show: (view: View | readonly View[]) => Promise<void>;
  readonly consent: (question: string) => Promise<void>;
  /** Told that from now on something may be written: the change, or before it the request for its approval. */
  readonly writing: () => void;
  /** Told that from now on something may have been changed. */
  readonly changing: () => void;
  /** The context the command works on, once it is known. */
  readonly context: () => string | undefined;
}

export async function runChange<Plan extends object, Done>(
  change: Change<Plan, Done>,
  screen: ChangeScreen,
): Promise<Outcome> {
  const plan = await change.plan();
  const view = change.show(plan);
  const nothing = change.nothing?.(plan) === true;
  const approval = nothing || change.approved?.(plan) === true ? undefined : change.approval;
  if (screen.dryRun) {
    const shown = Array.isArray(view) ? (view as readonly View[]) : [view as View];
    return {
      result: { dry_run: true, plan, ...(approval ? { needs_approval: true } : {}) },
      view: [
        ...shown,
        ...(approval ? [text('A second operator has to approve this.', { tone: 'muted' })] : []),
        text('Dry run: nothing was changed.', { tone: 'muted' }),
      ],
    };
  }
  if (change.quiet !== true) {
    screen.announce();
    await screen.show(view);
  }
  if (change.question !== undefined && !nothing) await screen.consent(change.question(plan));
  screen.writing();
  const requested = await approval?.(plan);
  if (requested !== undefined && requested.state !== 'granted')
    return pendingOutcome(requested, screen.context());
  screen.changing();
  return change.done(await change.apply(plan), plan);
}
