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
  /** Yes or no, naming what is about to happen; left out for what needs no consent. */
  readonly question?: (plan: Plan) => string;
  /** Does it, and reads back what was done. */
  readonly apply: (plan: Plan) => Promise<Done>;
  readonly done: (done: Done, plan: Plan) => Outcome;
}

export interface ChangeScreen {
  readonly dryRun: boolean;
  readonly announce: () => void;
  readonly show: (view: View | readonly View[]) => Promise<void>;
  readonly consent: (question: string) => Promise<void>;
  /** Told that from now on something may have been changed. */
  readonly changing: () => void;
}

export async function runChange<Plan extends object, Done>(
  change: Change<Plan, Done>,
  screen: ChangeScreen,
): Promise<Outcome> {
  const plan = await change.plan();
  const view = change.show(plan);
  if (screen.dryRun) {
    const shown = Array.isArray(view) ? (view as readonly View[]) : [view as View];
    return {
      result: { dry_run: true, plan },
      view: [...shown, text('Dry run: nothing was changed.', { tone: 'muted' })],
    };
  }
  if (change.quiet !== true) {
    screen.announce();
    await screen.show(view);
  }
  if (change.question !== undefined) await screen.consent(change.question(plan));
  screen.changing();
  return change.done(await change.apply(plan), plan);
}
