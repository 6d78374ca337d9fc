import { approvingCommand } from './approval-views.js';
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

export const toReplay = (look: ShownLook | undefined) =>
  (look?.returned ?? []).filter(({ state }) => state === 'back' || state === 'unfinished').length;

/** Erasures that the database knows of and the ledger here does not. */
export const missingViews = (missing: readonly string[]): View[] =>
  missing.map((request) =>
    text(
      `The erasure of ${request} stands in no record here: run this on a console that has the whole ledger.`,
      { mark: 'bad' },
    ),
  );

const REPLAYED: Readonly<Record<string, Cell>> = {
  erased: toned('good', 'erased again'),
  pending: toned('warn', 'waits for a second operator'),
  refused: toned('bad', 'refused'),
};

interface ShownReplay {
  readonly look: ShownLook;
  readonly replayed: readonly ShownReplayed[];
  readonly record: string;
}

/** What came of a replay: what was done about each, who is back still, and what to do about it. */
export function replayOutcome(
  replay: ShownReplay | undefined,
  missing: readonly string[],
  context: string | undefined,
): Outcome {
  if (replay === undefined)
    return {
      result: { look: null, replayed: [], record: null, missing },
      view: [],
      verdict: missing.length > 0 ? 'partial' : undefined,
    };
  const { look, replayed, record } = replay;
  const waiting = replayed.filter(({ approval }) => approval !== null);
  const refused = replayed.filter(({ outcome }) => outcome === 'refused');
  const open = look.returned.filter(({ state }) => state !== 'gone' && state !== 'another');
  const others = look.returned.filter((entry) => entry.others.length > 0);
  const left = replayed.filter(({ erasure }) => erasure !== null && openPlaces(erasure).length > 0);
  const coreless = replayed.flatMap((each) => each.coreless);
  const clean = open.length + left.length + missing.length === 0;
  const onlyWaiting = open.length === waiting.length && left.length + refused.length + missing.length === 0;
  return {
    result: { look, replayed, record, missing },
    rows: returnTable(look),
    view: [
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
      ...waiting.map(({ approval }) => text(approvingCommand(approval ?? '', context))),
      ...others.map((entry) => known(entry)),
      ...coreless.map((family) =>
        text(`Family ${family} has no family_core member left: nestctl member transfer --family ${family}`, {
          mark: 'warn',
        }),
      ),
      clean
        ? text(`Nobody whom the ledger knows is back, of ${look.accounts} accounts: signed as ${record}.`, {
            mark: 'good',
          })
        : text('Somebody who was erased is here still, or it cannot be told: do not open this database.', {
            mark: 'bad',
          }),
    ],
    verdict: clean ? undefined : onlyWaiting ? 'pending' : 'partial',
    next:
      waiting[0] !== undefined
        ? approvingCommand(waiting[0].approval ?? '', context)
        : (refused[0]?.next ??
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
