import type { Operator, OperatorChange, OperatorPlan } from '../platform/operators/index.js';
import { details, text, type View } from './views.js';

/** What consent and approval are given to. */
export function operatorPlan(plan: OperatorPlan): View {
  return details({
    do: plan.do,
    login: plan.login,
    name: plan.name,
    email: plan.email,
    duties: plan.duties?.join(', ') ?? plan.duty,
    until: plan.until ?? undefined,
  });
}

/** `support, auditor until 2027-03-31`, what is over left out. */
export function dutiesText({ duties }: Operator): string {
  return duties
    .filter(({ live }) => live)
    .map(({ duty, expires_at }) => (expires_at === null ? duty : `${duty} until ${expires_at.slice(0, 10)}`))
    .join(', ');
}

/** What the owner of the database could not do, and what was left alone on purpose. */
export function leftToDo({ login, remaining, elsewhere = [] }: OperatorChange): View[] {
  return [
    ...(elsewhere.length === 0
      ? []
      : [text(`The login stays on: ${login} may connect to ${elsewhere.join(', ')} too.`, { mark: 'warn' })]),
    ...(remaining.length === 0
      ? []
      : [
          text('The owner of the database may not do the rest. A DBA runs:', { mark: 'warn' }),
          ...remaining.map((statement) => text(`  ${statement};`)),
        ]),
  ];
}
