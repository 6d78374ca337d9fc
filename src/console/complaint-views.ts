import { commandLine } from './command-line.js';
import type { Outcome } from './outcome.js';
import { details, table, text, toned, type View } from './views.js';

/** A complaint as the console shows it. */
export interface ShownComplaint {
  readonly body: string;
  readonly reference: string | null;
  readonly made_on: string;
  readonly closed_on: string | null;
  readonly outcome: string | null;
  readonly recourse_until: string | null;
}

interface About {
  readonly request: { readonly number: string };
}

const BODIES: Readonly<Record<string, string>> = {
  organization: 'us',
  commissioner: 'the Privacy Commissioner of Canada',
  cai: 'the Commission d’accès à l’information',
  court: 'a court',
};

export const bodyText = (body: string) => BODIES[body] ?? body;

export function complaintTable(complaints: readonly ShownComplaint[]): View {
  return table(
    complaints,
    [
      { name: 'made on', value: ({ made_on }) => made_on },
      { name: 'to', value: ({ body }) => bodyText(body), keep: true },
      { name: 'reference', value: ({ reference }) => reference },
      {
        name: 'outcome',
        value: ({ outcome }) => outcome?.replaceAll('_', ' ') ?? toned('warn', 'open'),
        keep: true,
      },
      { name: 'closed on', value: ({ closed_on }) => closed_on },
      { name: 'recourse until', value: ({ recourse_until }) => recourse_until },
    ],
    '',
  );
}

/** What would be recorded. */
export function complaintViews(plan: About & Pick<ShownComplaint, 'body' | 'reference' | 'made_on'>): View {
  return details({
    request: plan.request.number,
    'complained to': bodyText(plan.body),
    'on the day': plan.made_on,
    reference: plan.reference ?? undefined,
    'while it is open': 'nothing that it asked for is destroyed',
  });
}

export function closingViews(
  plan: About & {
    readonly complaint: ShownComplaint;
    readonly outcome: string;
    readonly closed_on: string;
    readonly recourse_until: string | null;
    readonly recourse_to: string | null;
    readonly law: string | null;
  },
): View {
  const { complaint, recourse_until, recourse_to, law } = plan;
  return details({
    request: plan.request.number,
    'complained to': bodyText(complaint.body),
    'made on': complaint.made_on,
    'closed on': plan.closed_on,
    outcome: plan.outcome.replaceAll('_', ' '),
    'they can go on': recourse_until === null ? 'nowhere from there' : `to ${recourse_to ?? 'a court'}`,
    until: recourse_until ?? undefined,
    law: law ?? undefined,
  });
}

export function complaintRecorded(complaint: ShownComplaint, { request }: About): Outcome {
  const { closed_on, recourse_until } = complaint;
  const until = recourse_until === null ? '' : `, and can be taken to a court until ${recourse_until}`;
  const what = closed_on === null ? 'is open' : `is closed${until}`;
  return {
    result: { number: request.number, complaint },
    view: text(`The complaint about ${request.number} to ${bodyText(complaint.body)} ${what}.`, {
      mark: 'good',
    }),
    next: commandLine(['request', 'show', request.number]),
  };
}
