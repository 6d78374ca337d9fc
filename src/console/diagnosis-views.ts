import type { Outcome } from './outcome.js';
import { type DetailsView, details, heading, type TextView, text, type View } from './views.js';

interface Cause {
  readonly id: string;
  readonly says: string;
  readonly evidence: readonly string[];
  readonly commands: readonly string[];
  readonly who: string | null;
  readonly afterwards: string | null;
  readonly caution: string | null;
}

interface Diagnosis {
  readonly person: { readonly email: string };
  readonly expected: readonly string[];
  readonly causes: readonly Cause[];
  readonly permitted: readonly {
    readonly family: string;
    readonly name: string;
    readonly role: string;
    readonly permissions: readonly string[];
  }[];
  readonly unexplained: readonly string[];
}

interface Fix {
  readonly person: { readonly email: string };
  readonly cause: Cause;
}

/** The cause and what mends it first, then why, then what else was found. */
export function diagnosisOutcome(diagnosis: Diagnosis): Outcome {
  const { person, causes, unexplained } = diagnosis;
  const [first, ...others] = causes;
  const doubts = unexplained.map((one) =>
    text(`the database decides otherwise than its facts explain: ${one}`, { mark: 'unknown' }),
  );
  if (first === undefined) {
    return {
      result: diagnosis,
      view: [...doubts, ...nothing(diagnosis)],
      verdict: unexplained.length > 0 ? 'partial' : undefined,
    };
  }
  return {
    result: diagnosis,
    view: [
      ...causeViews(person.email, first),
      ...doubts,
      ...(others.length === 0 ? [] : [heading('also found')]),
      ...others.flatMap((cause) => [text(`${cause.id}: ${cause.says}`, { mark: 'warn' }), ...mends(cause)]),
    ],
    verdict: unexplained.length > 0 ? 'partial' : first.commands.length === 0 ? 'pending' : undefined,
    next: first.commands[0],
  };
}

/** What mending would do, as it is consented to. */
export function fixViews({ person, cause }: Fix): View[] {
  return causeViews(person.email, cause);
}

/** What was done, and what stands in the way now. */
export function fixOutcome({ cause, after }: { readonly cause: Cause; readonly after: Diagnosis }): Outcome {
  const { person, causes } = after;
  const waits = cause.afterwards !== null;
  const [next] = causes;
  return {
    result: { fixed: cause, after },
    view: [
      waits
        ? text(`Done. Now ${cause.afterwards}.`, { mark: 'warn' })
        : text(
            next === undefined
              ? `Mended: nothing stands in the way of ${person.email} any more.`
              : `Mended: ${cause.id}.`,
            { mark: 'good' },
          ),
      ...(next === undefined || (waits && next.id === cause.id)
        ? []
        : [text(`found after it: ${next.says}`, { mark: 'warn' })]),
    ],
    verdict: waits ? 'pending' : undefined,
    next: waits ? undefined : next?.commands[0],
  };
}

function causeViews(email: string, cause: Cause): View[] {
  return [
    text(`${email}: ${cause.says}`, { mark: 'bad' }),
    ...mends(cause),
    details({
      cause: cause.id,
      ...(cause.evidence.length === 0 ? {} : { because: cause.evidence.join('; ') }),
      ...(cause.caution === null ? {} : { 'ask first': cause.caution }),
    }),
  ];
}

function mends({ commands, who, afterwards }: Cause): (TextView | DetailsView)[] {
  return [
    ...commands.map((command) => text(`  mend: ${command}`)),
    ...(commands.length === 0 && who !== null ? [text(`  hand over to ${who}`)] : []),
    ...(afterwards === null ? [] : [text(`  then: ${afterwards}`)]),
  ];
}

function nothing({ person, expected, permitted }: Diagnosis): View[] {
  return [
    text(`nothing in the database stands in the way of ${person.email}`, { mark: 'good' }),
    text('  next: ask what exactly they miss, and name it with --expects, --child or --family'),
    details({
      expected: expected.join(', '),
      ...Object.fromEntries(
        permitted.map(({ family, name, role, permissions }) => [
          `family ${name}`,
          `${role}: ${permissions.join(' ')} (${family})`,
        ]),
      ),
    }),
  ];
}
