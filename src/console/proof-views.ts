import { type Column, type TreeNode, table, text, toned, tree, type View } from './views.js';

interface Told {
  readonly object: string;
  readonly change: string;
  readonly by: string;
}

/** What is shown of a proof. */
interface Proof {
  readonly holds: boolean;
  readonly attempts: number;
  readonly standings: number;
  readonly declared: number;
  readonly disagreements: number;
  readonly counterexamples: readonly {
    readonly table: string;
    readonly command: string;
    readonly role: string;
    readonly who: string;
    readonly what: string;
    readonly expected: string;
    readonly came: string;
    readonly script: string;
    readonly reproduced: boolean;
  }[];
  readonly stray_rights: readonly {
    readonly role: string;
    readonly table: string;
    readonly right: string;
    readonly given: boolean;
  }[];
  readonly undeclared: readonly string[];
  readonly mutation: {
    readonly mutants: number;
    readonly noticed: number;
    readonly equivalent: readonly Told[];
    readonly survived: readonly Told[];
    readonly untried: readonly Told[];
    readonly score: number;
    readonly beyond: readonly { readonly object: string; readonly why: string }[];
  } | null;
}

interface ProofRow {
  readonly finding: 'counterexample' | 'right' | 'undeclared' | 'survived' | 'untried' | 'equivalent';
  readonly object: string;
  readonly detail: string;
  readonly by: string | null;
}

const TONES = {
  counterexample: 'bad',
  right: 'bad',
  undeclared: 'unknown',
  survived: 'bad',
  untried: 'unknown',
  equivalent: 'muted',
} as const;

export const PROOF_COLUMNS: readonly Column<ProofRow>[] = [
  { name: 'finding', value: ({ finding }) => toned(TONES[finding], finding), keep: true },
  { name: 'object', value: ({ object }) => object, keep: true },
  { name: 'detail', value: ({ detail }) => detail },
  { name: 'by', value: ({ by }) => by },
];

/** What was found, what could not be tried, and what changes nothing, one row each. */
export function proofTable(proof: Proof) {
  const { mutation } = proof;
  const told = (finding: ProofRow['finding'], list: readonly Told[] = []) =>
    list.map(
      ({ object, change, by }): ProofRow => ({ finding, object, detail: change, by: by === '' ? null : by }),
    );
  return table(
    [
      ...proof.counterexamples.map(
        (one): ProofRow => ({
          finding: 'counterexample',
          object: one.table,
          detail: `${one.command} of ${one.what} as ${one.role}: ${said(one)}`,
          by: one.who,
        }),
      ),
      ...proof.stray_rights.map(
        (one): ProofRow => ({ finding: 'right', object: one.table, detail: rightOf(one), by: null }),
      ),
      ...proof.undeclared.map(
        (object): ProofRow => ({ finding: 'undeclared', object, detail: UNDECLARED, by: null }),
      ),
      ...told('survived', mutation?.survived),
      ...told('untried', mutation?.untried),
      ...told('equivalent', mutation?.equivalent),
    ],
    PROOF_COLUMNS,
    'Nothing was found.',
  );
}

const UNDECLARED = 'members have rights on it, and the access table says nothing of it';

/** Whether isolation holds, what shows that it does not, and how sharp the proof is. */
export function proofViews(proof: Proof, where: string): View[] {
  const { holds, attempts, standings, declared, disagreements, counterexamples, mutation } = proof;
  const [first] = counterexamples;
  return [
    holds
      ? text(
          `Isolation holds: ${attempts} commands of ${standings} kinds of members are decided as the access table (${declared} lines) says.`,
          { mark: 'good' },
        )
      : text(
          `Isolation does not hold: ${disagreements} of ${attempts} commands and ${proof.stray_rights.length} rights differ from the access table.`,
          { mark: 'bad' },
        ),
    text(`Tried in ${where}, on families made for it, in a transaction that was rolled back.`, {
      tone: 'muted',
    }),
    tree(
      ...counterexamples.map(
        (one): TreeNode => ({
          text: `${one.command.toUpperCase()} of ${one.what} in ${one.table}: ${said(one)}`,
          mark: 'bad',
          children: [
            { text: `${one.role}: ${one.who}` },
            {
              text: one.reproduced ? 'its script comes to the same' : 'its script alone does not show it',
              mark: one.reproduced ? 'good' : 'unknown',
            },
          ],
        }),
      ),
      ...proof.stray_rights.map((one): TreeNode => ({ text: rightOf(one), mark: 'bad' })),
      ...proof.undeclared.map((name): TreeNode => ({ text: `${name}: ${UNDECLARED}`, mark: 'unknown' })),
    ),
    ...(first === undefined
      ? []
      : first.script
          .trimEnd()
          .split('\n')
          .map((line) => text(line, { tone: 'muted' }))),
    ...(mutation === null ? [] : mutationViews(mutation)),
  ];
}

function mutationViews(mutation: NonNullable<Proof['mutation']>): View[] {
  const { mutants, noticed, equivalent, survived, untried, score, beyond } = mutation;
  const reasons = [...new Set(equivalent.map(({ by }) => by))];
  const node = ({ object, change }: Told): TreeNode => ({ text: `${object}: ${change}` });
  return [
    text(
      `Mutation score ${score} %: of ${mutants} weaknesses ${noticed} were noticed, ${survived.length} were not, ${equivalent.length} change nothing${untried.length === 0 ? '' : `, ${untried.length} could not be tried`}.`,
      { mark: survived.length > 0 ? 'bad' : untried.length > 0 ? 'unknown' : 'good' },
    ),
    tree(
      ...survived.map((one): TreeNode => ({ ...node(one), mark: 'bad', note: 'nobody notices' })),
      ...untried.map((one): TreeNode => ({ ...node(one), mark: 'unknown', note: one.by })),
      ...reasons.map(
        (reason): TreeNode => ({
          text: `changes nothing: ${reason}`,
          children: equivalent.filter(({ by }) => by === reason).map(node),
        }),
      ),
    ),
    ...[...new Set(beyond.map(({ why }) => why))].map((why) =>
      text(
        `Not weakened: ${beyond
          .filter((one) => one.why === why)
          .map(({ object }) => object)
          .join(', ')}: ${why}.`,
        { tone: 'muted' },
      ),
    ),
  ];
}

function said({ expected, came }: { expected: string; came: string }): string {
  return `${WORDS[expected] ?? expected} by the access table, ${WORDS[came] ?? `ended with ${came}`} by the database`;
}

const WORDS: Readonly<Record<string, string>> = {
  'ok:1': 'let through',
  'ok:0': 'kept away',
  refused: 'refused',
};

function rightOf({ role, table, right, given }: Proof['stray_rights'][number]): string {
  return given
    ? `${role} has ${right.toUpperCase()} on ${table}, which the access table does not give`
    : `${role} lacks ${right.toUpperCase()} on ${table}, which the access table gives`;
}
