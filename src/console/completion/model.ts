/** What a shell can offer for a value. */
export type Values = 'nothing' | 'any' | 'file' | 'context' | readonly string[];

export interface CompletedFlag {
  readonly name: string;
  readonly char: string | undefined;
  readonly about: string;
  /** `nothing` for a flag that is on or off. */
  readonly values: Values;
}

/** A word that may follow, with all that may follow that. */
export interface CompletedCommand {
  /** The words after `nestctl`: `family list`; empty for the root. */
  readonly path: string;
  readonly about: string;
  /** What may stand next: nouns and verbs. */
  readonly next: readonly { readonly word: string; readonly about: string }[];
  readonly flags: readonly CompletedFlag[];
  /** Of the first argument. */
  readonly argument: Values;
}

interface ManifestFlag {
  readonly char?: string | undefined;
  readonly description?: string | undefined;
  readonly summary?: string | undefined;
  readonly hidden?: boolean | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
  readonly options?: readonly string[] | undefined;
  readonly type: 'boolean' | 'option';
}

/** What the manifest says, as far as it is used. */
export interface Manifest {
  readonly commands: readonly {
    readonly id: string;
    readonly summary?: string | undefined;
    readonly hidden?: boolean | undefined;
    readonly flags: Readonly<Record<string, ManifestFlag>>;
    readonly args: Readonly<Record<string, { readonly options?: readonly string[] | undefined }>>;
  }[];
  readonly topics: readonly { readonly name: string; readonly description?: string | undefined }[];
  readonly helpTopics: readonly string[];
}

/** Every place of the command tree, the root first. */
export function completedCommands({ commands, topics, helpTopics }: Manifest): CompletedCommand[] {
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const about = new Map<string, string>();
  for (const { name, description } of topics) about.set(pathOf(name), firstLine(description));
  for (const { id, summary } of shown) about.set(pathOf(id), firstLine(summary));
  about.set('help', 'Help on a command or a topic');
  const byPath = new Map(shown.map((command) => [pathOf(command.id), command]));
  const paths = new Set(['']);
  for (const path of [...byPath.keys(), 'help']) {
    const words = path.split(' ');
    for (let length = 1; length <= words.length; length++) paths.add(words.slice(0, length).join(' '));
  }
  return [...paths].sort().map((path) => {
    const command = byPath.get(path);
    const depth = path === '' ? 0 : path.split(' ').length;
    const next = [...paths]
      .filter(
        (one) =>
          one !== '' && one.split(' ').length === depth + 1 && (depth === 0 || one.startsWith(`${path} `)),
      )
      .map((one) => ({ word: one.split(' ').at(-1) ?? '', about: about.get(one) ?? '' }));
    return {
      path,
      about: about.get(path) ?? '',
      next,
      flags: [
        ...Object.entries(command?.flags ?? {})
          .filter(([, { hidden }]) => hidden !== true)
          .map(([name, flag]) => completedFlag(name, flag)),
        { name: 'help', char: undefined, about: 'show help', values: 'nothing' },
        ...(path === ''
          ? [{ name: 'version', char: undefined, about: 'show the version', values: 'nothing' } as const]
          : []),
      ],
      argument: path === 'help' ? helpTopics : argumentOf(path, command?.args ?? {}),
    };
  });
}

function argumentOf(path: string, args: Manifest['commands'][number]['args']): Values {
  const [first] = Object.entries(args);
  if (first === undefined) return 'nothing';
  const [name, { options }] = first;
  if (options !== undefined) return options;
  return name === 'name' && path.startsWith('context ') && path !== 'context add' ? 'context' : 'any';
}

function completedFlag(name: string, flag: ManifestFlag): CompletedFlag {
  const about = firstLine(flag.summary ?? flag.description);
  return { name, char: flag.char, about, values: valuesOf(name, flag) };
}

function valuesOf(name: string, { type, options, helpValue }: ManifestFlag): Values {
  if (type === 'boolean') return 'nothing';
  if (options !== undefined) return options;
  if (name === 'context') return 'context';
  return helpValue === 'FILE' || helpValue === 'FOLDER' ? 'file' : 'any';
}

function pathOf(id: string): string {
  return id.replaceAll(':', ' ');
}

/** Fit for one line of any shell: no line break, no quote, nothing a template left. */
function firstLine(text: string | undefined): string {
  return (
    (text ?? '')
      .split('\n', 1)[0]
      ?.replace(/<%.*?%>/g, '')
      .replace(/['"`\\$]/g, '’')
      .trim() ?? ''
  );
}

/** Prints the names of the contexts from the file after it: no console has to start for that. */
export const CONTEXT_NAMES = [
  'sed -n',
  String.raw`-e 's/^[[:space:]]*\[contexts\.\([A-Za-z0-9_-]*\)\].*/\1/p'`,
  String.raw`-e 's/^[[:space:]]*\[contexts\."\([A-Za-z0-9._-]*\)"\].*/\1/p'`,
].join(' ');
