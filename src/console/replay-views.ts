import { approvingCommand } from './approval-views.js';
import { decisionViews, lostViews, type ShownDecisions, type ShownLost } from './decision-views.js';
import { openPlaces } from './erasure-run-views.js';
import type { Outcome } from './outcome.js';
import { type Cell, type Column, listed, type TableView, table, text, toned, type View } from './views.js';

interface ShownReturn {
  readonly record: string;
  readonly request: string;
  readonly ground: string;
  readonly entered_at: Date;
  readonly state: string;
  readonly person: string | null;
  readonly families: readonly string[];
  readonly by: readonly string[];
  readonly others: readonly { readonly person: string; readonly by: readonly string[] }[];
}

interface ShownLook {
  readonly accounts: number;
  readonly returned: readonly ShownReturn[];
}

interface ShownReplayed {
  readonly record: string;
  readonly person: string;
  readonly outcome: string;
  readonly erasure: (Parameters<typeof openPlaces>[0] & { readonly request: string }) | null;
  readonly approval: string | null;
  readonly why: string | null;
  readonly next: string | null;
  readonly coreless: readonly string[];
}

const STATES: Readonly<Record<string, Cell>> = {
  gone: toned('good', 'gone'),
  back: toned('bad', 'back'),
  unfinished: toned('bad', 'begun, and not proven'),
  another: toned('warn', 'another account has something of theirs'),
  part: toned('bad', 'a family or child of theirs is back, the account is not'),
  unknown: toned('unknown', 'unknown: its ledger key is not here'),
};

export const RETURN_COLUMNS: readonly Column<ShownReturn>[] = [
  { name: 'record', value: ({ record }) => record, keep: true },
  { name: 'request', value: ({ request }) => request },
  { name: 'entered', value: ({ entered_at }) => entered_at },
  { name: 'state', value: ({ state }) => STATES[state] ?? state, raw: ({ state }) => state, keep: true },
  {
    name: 'account',
    value: ({ person, others }) => person ?? others.map((other) => other.person).join(' '),
  },
  {
    name: 'known by',
    value: ({ by, others }) => [...new Set([...by, ...others.flatMap((other) => other.by)])].join(', '),
  },
  { name: 'families', value: ({ families }) => families.length, raw: ({ families }) => families },
];

export function returnTable(look: ShownLook | undefined): TableView {
  return table(
    look?.returned ?? [],
    RETURN_COLUMNS,
    'The ledger of this console knows of nobody who was erased.',
  );
}

/** What of a plan is to be done, or has to be said: decisions of rows that are not here are only to be known again. */
export const toReplay = ({ look, lost }: ShownPlan) =>
  comeBack(look) + (lost === undefined ? 0 : lost.lost.length || lost.records.length);

const comeBack = (look: ShownLook | undefined) =>
  (look?.returned ?? []).filter(({ state }) => state === 'back' || state === 'unfinished').length;

export interface ShownPlan {
  readonly look: ShownLook | undefined;
  readonly lost: ShownLost | undefined;
  readonly missing: readonly string[];
}

export const planViews = ({ look, lost, missing }: ShownPlan): View[] => [
  returnTable(look),
  ...lostViews(lost),
  ...missing.map((what) =>
    text(`${what} stands in no record here: run this on a console that has the whole ledger.`, {
      mark: 'bad',
    }),
  ),
];

export function replayQuestion({ look, lost }: ShownPlan): string {
  const back = comeBack(look);
  return [
    ...(lost === undefined ? [] : [`Take ${lost.lost.length} decisions again`]),
    ...(back === 0
      ? []
      : [
          `${lost === undefined ? 'Erase' : 'erase'} again, for good, what the ${back} that are back brought with them`,
        ]),
  ]
    .join(', and ')
    .concat('?');
}

const REPLAYED: Readonly<Record<string, Cell>> = {
  erased: toned('good', 'erased again'),
  pending: toned('warn', 'waits for a second operator'),
  refused: toned('bad', 'refused'),
};

interface ShownReplay {
  readonly look: ShownLook | undefined;
  readonly lost: ShownLost | undefined;
  readonly replayed: readonly ShownReplayed[];
  readonly decisions: ShownDecisions | undefined;
  readonly record: string;
}

/** What came of a replay: what was done about each, who or what is back still, and what to do about it. */
export function replayOutcome(
  replay: ShownReplay | undefined,
  { missing }: ShownPlan,
  context: string | undefined,
): Outcome {
  if (replay === undefined)
    return {
      result: { look: null, lost: null, replayed: [], decisions: null, record: null, missing },
      view: [],
      verdict: missing.length > 0 ? 'partial' : undefined,
    };
  const { look, lost, replayed, decisions, record } = replay;
  const waiting = [
    ...(decisions?.approval == null ? [] : [decisions.approval]),
    ...replayed.flatMap(({ approval }) => approval ?? []),
  ];
  const open = (look?.returned ?? []).filter(({ state }) => state !== 'gone' && state !== 'another');
  const others = (look?.returned ?? []).filter((entry) => entry.others.length > 0);
  const left = replayed.filter(({ erasure }) => erasure !== null && openPlaces(erasure).length > 0);
  const coreless = replayed.flatMap((each) => each.coreless);
  const refused = [
    ...(decisions?.refused ?? []).map(({ next }) => next),
    ...replayed.filter(({ outcome }) => outcome === 'refused').map(({ next }) => next),
  ];
  const unsure = missing.length + (lost?.unknown ?? 0);
  const clean = open.length + left.length + unsure === 0 && lost === undefined;
  const atApproval = replayed.filter(({ approval }) => approval !== null).length;
  const onlyWaiting =
    open.length === atApproval &&
    left.length + refused.length + unsure === 0 &&
    (lost === undefined || decisions?.approval != null);
  const next = refused.find((each) => each !== null);
  return {
    result: {
      look: look ?? null,
      lost: lost ?? null,
      replayed,
      decisions: decisions ?? null,
      record,
      missing,
    },
    rows: returnTable(look),
    view: [
      ...decisionViews(decisions),
      ...listed('What was done', replayed, [
        { name: 'record', value: (each) => each.record, keep: true },
        { name: 'account', value: ({ person }) => person },
        {
          name: 'outcome',
          value: ({ outcome }) => REPLAYED[outcome] ?? outcome,
          raw: ({ outcome }) => outcome,
          keep: true,
        },
        { name: 'why', value: ({ why, approval }) => why ?? approval },
      ]),
      ...(replayed.length > 0 ? [returnTable(look)] : []),
      ...waiting.map((approval) => text(approvingCommand(approval, context))),
      ...others.map((entry) => known(entry)),
      ...coreless.map((family) =>
        text(`Family ${family} has no family_core member left: nestctl member transfer --family ${family}`, {
          mark: 'warn',
        }),
      ),
      clean
        ? text(
            `Nobody whom the ledger knows is back${look === undefined ? '' : `, of ${look.accounts} accounts`}, and no decision is lost: signed as ${record}.`,
            { mark: 'good' },
          )
        : text(
            'Somebody who was erased is here still, a decision is lost still, or it cannot be told: do not open this database.',
            { mark: 'bad' },
          ),
    ],
    verdict: clean ? undefined : onlyWaiting ? 'pending' : 'partial',
    next:
      waiting[0] !== undefined
        ? approvingCommand(waiting[0], context)
        : (next ??
          (left[0] === undefined ? undefined : `nestctl erasure verify ${left[0].erasure?.request}`)),
  };
}

function known({ record, others }: ShownReturn): View {
  const accounts = others.map(({ person, by }) => `${person} (${by.join(', ')})`).join(', ');
  return text(
    `Another account than the one of ${record} has something of theirs, and is not erased: ${accounts}.`,
    { mark: 'warn' },
  );
}
