import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';
import { type Random, seededRandom } from '../model/random.js';

interface ManifestFlag {
  readonly type: 'option' | 'boolean';
  readonly required?: boolean;
  readonly helpValue?: string;
  readonly options?: readonly string[];
  readonly char?: string;
}

export interface ManifestCommand {
  readonly id: string;
  readonly flags: Readonly<Record<string, ManifestFlag>>;
  readonly args: Readonly<Record<string, { readonly required?: boolean; readonly options?: string[] }>>;
}

/** Every command of the build, hidden ones too: a new one is part of this without being named anywhere. */
export function manifestCommands(): ManifestCommand[] {
  const text = readFileSync(join(packageRoot(), 'oclif.manifest.json'), 'utf8');
  return Object.values((JSON.parse(text) as { commands: Record<string, ManifestCommand> }).commands);
}

/**
 * What changes something without being asked for consent, and knows no --dry-run (a question of the audit log is on
 * record itself), or takes as long as a proof does: these lines are made unfit.
 */
const UNGUARDED =
  /^(demo|local:.*|context:use|maintenance:run|analytics:refresh|db:docs|audit:.*|access:prove)$/;
const UNFIT = '--no-such-flag-of-any-command';
/** What would let a line do its work. */
const CONSENT = new Set(['yes', 'confirm']);
const MIB = 1024 * 1024;

/**
 * The line of that number: any words, but none that is fit, consented to and a write at once. A function of seed and
 * number alone, so that one line can be run again.
 */
export function commandLineOf(seed: number, number: number, commands: readonly ManifestCommand[]): string[] {
  const random = seededRandom(seed ^ Math.imul(number + 1, 0x9e3779b1));
  const kind = random.weighted({ command: 73, fit: 15, mangled: 6, nonsense: 4, help: 2 });
  if (kind === 'nonsense') return texts(random, random.between(0, 6));
  const command = random.pick(commands);
  if (kind === 'help') return [...command.id.split(':'), random.pick(['--help', '-h', '--version', 'help'])];
  const words = command.id.split(':');
  // What is left of the name can still be that of a command.
  if (kind === 'mangled') return [...mangled(random, words), UNFIT, ...texts(random, random.between(0, 3))];

  if (kind === 'fit') return [...words, ...guardsOf(command), ...fitWords(random, command)];
  const parts = [...flagWords(random, command), ...argWords(random, command)];
  if (random.chance(0.7)) shuffle(random, parts);
  if (random.chance(0.15)) parts.push(['--'], texts(random, random.between(0, 3)));
  if (random.chance(0.05)) parts.unshift(texts(random, random.between(1, 200)));
  const guards = guardsOf(command);
  // In front of whatever could end the flags.
  return [...words, ...guards, ...parts.flat()];
}

/** Whether every line of the command is made unfit. */
export function isUnfit({ id, flags }: ManifestCommand): boolean {
  return !('dry-run' in flags) && UNGUARDED.test(id);
}

/** Makes a writing command a dry run, or where it knows none, unfit; and what has no end, end. */
function guardsOf(command: ManifestCommand): string[] {
  if ('once' in command.flags) return ['--once'];
  if ('dry-run' in command.flags) return ['--dry-run'];
  return isUnfit(command) ? [UNFIT] : [];
}

function flagWords(random: Random, { flags }: ManifestCommand): string[][] {
  const known = Object.entries(flags).filter(
    ([name]) => !CONSENT.has(name) && !['dry-run', 'once'].includes(name),
  );
  const chosen = random.some(known, random.between(0, Math.min(6, known.length)));
  if (random.chance(0.15) && chosen[0] !== undefined) chosen.push(chosen[0]);
  // Without them a line gets no further than its flags.
  if (random.chance(0.5)) {
    chosen.push(...known.filter((entry) => entry[1].required === true && !chosen.includes(entry)));
  }
  const words = chosen.map(([name, flag]): string[] => {
    const spelled = random.chance(0.03) ? `--${mangledWord(random, name)}` : `--${name}`;
    if (flag.type === 'boolean')
      return [random.chance(0.05) ? `${spelled}=${random.pick(['true', '', 'x'])}` : spelled];
    if (random.chance(0.04)) return [spelled];
    const value = flagValue(random, name, flag);
    return random.chance(0.5) ? [`${spelled}=${value}`] : [spelled, value];
  });
  if (random.chance(0.05)) words.push([`-${random.pick(['y', 'h', 'x', '-', '1', 'é', 'yy'])}`]);
  return words.map((pair) => pair.map((word) => (word === '-y' || word === '-yy' ? '-q' : word)));
}

/** No more than what is demanded, and fit: without such lines a command of many demands is hardly ever reached. */
function fitWords(random: Random, { flags, args }: ManifestCommand): string[] {
  const fitting = (name: string, { helpValue, options }: Pick<ManifestFlag, 'helpValue' | 'options'>) => {
    if (options !== undefined) return random.pick(options);
    return name === 'number' ? 'REQ-2026-0001' : (BY_HELP_VALUE[helpValue ?? '']?.[0] ?? UUID);
  };
  return [
    ...Object.entries(args).flatMap(([name, arg]) => (arg.required === true ? [fitting(name, arg)] : [])),
    ...Object.entries(flags).flatMap(([name, flag]) =>
      flag.required === true && !CONSENT.has(name)
        ? [`--${name}=${flagFile(random, name, flag) ?? fitting(name, flag)}`]
        : [],
    ),
  ];
}

function argWords(random: Random, { args }: ManifestCommand): string[][] {
  return Object.values(args).flatMap(({ options }) => {
    if (random.chance(0.15)) return [];
    if (options !== undefined && random.chance(0.7)) return [[random.pick(options)]];
    return [[random.pick([UUID, '1', 'test', 'keys/1', 'REQ-2026-0001', text(random)])]];
  });
}

const UUID = '00000000-0000-4000-8000-000000000000';
/** No such place can be written, not even by root: a flag for a file must not make one here. */
const FILES = ['/proc/no/such', '/dev/full/x', '/', '.', '/proc/self/mem/x'];
const BY_HELP_VALUE: Readonly<Record<string, readonly string[]>> = {
  ID: [UUID, '123', UUID.toUpperCase(), `${UUID}'; drop table users; --`],
  N: ['1', '0', '-1', '1e3', '٣', '99999999999999999999', '0x10', ' 7', '1.5'],
  TIME: [
    '3h',
    '2026-11-20',
    '2026-02-30',
    '-3h',
    '0000-01-01',
    '9999-12-31T23:59:59Z',
    '2026-03-08T02:30',
    'now',
  ],
  CURSOR: ['bm9uc2Vuc2U', 'WyJldmlkZW5jZSIsIiJd', 'e30', '===='],
  '30m|2h|7d': ['30m', '0m', '-5m', '99999d', '1h30m', 'm'],
};

/** A file is made wherever its name leads: only names that lead nowhere. Undefined for a flag that names none. */
function flagFile(
  random: Random,
  name: string,
  { helpValue, options }: Pick<ManifestFlag, 'helpValue' | 'options'>,
): string | undefined {
  if (options !== undefined) return undefined;
  if (helpValue !== 'FILE' && helpValue !== 'FOLDER' && !['to', 'html', 'output'].includes(name))
    return undefined;
  return random.chance(0.1) ? `/proc/${'a'.repeat(random.between(250, 70_000))}` : random.pick(FILES);
}

function flagValue(random: Random, name: string, flag: ManifestFlag): string {
  const { helpValue, options } = flag;
  const file = flagFile(random, name, flag);
  if (file !== undefined) return file;
  if (name === 'context' && random.chance(0.6)) return 'test';
  if (options !== undefined && random.chance(0.7)) return random.pick(options);
  const typed = BY_HELP_VALUE[helpValue ?? ''];
  if (typed !== undefined && random.chance(0.7)) return random.pick(typed);
  if (name === 'zone') return random.pick(['UTC', 'America/Toronto', 'Mars/Olympus', text(random)]);
  if (name === 'columns' || name === 'sort') return random.pick(['id', 'id,name', ',', '-id', text(random)]);
  return text(random);
}

const ALPHABETS = [
  'abcdefghijklmnopqrstuvwxyz0123456789-_',
  ' \t\n\r"\'`$&|;<>(){}[]*?!#~\\%=,:@/',
  'éèàùçÉœŒÅ\u0301\u0327ßİıſ',
  '\u202e\u2066\u200d\u200b\ufeff\u00ad\u061c',
  '\u0001\u0007\u0008\u001b\u007f\u0085\u009b',
  '漢字かな한글عربيעבריתไทย',
  '😀👨‍👩‍👧‍👦🇨🇦🏳️‍🌈',
].map((letters) => [...letters]);

function text(random: Random): string {
  const length = random.weighted({ empty: 6, short: 70, line: 18, page: 5, vast: 1 });
  const most = { empty: 0, short: 24, line: 300, page: 60_000, vast: MIB }[length];
  const size = length === 'vast' ? most : random.between(Math.min(1, most), most);
  const letters = random.chance(0.6) ? (ALPHABETS[0] ?? []) : ALPHABETS.flat();
  // A long one repeats a short one: what goes wrong with length goes wrong with that too.
  const piece = Array.from({ length: Math.min(size, 40) }, () => random.pick(letters)).join('');
  const long = piece === '' ? '' : piece.repeat(Math.ceil(size / piece.length)).slice(0, size);
  // Half a surrogate pair cannot be typed, and U+FFFD is refused before anything is looked at.
  return long.replace(/[\ud800-\udfff\ufffd]/gu, '');
}

function texts(random: Random, count: number): string[] {
  return Array.from({ length: count }, () => text(random));
}

function mangled(random: Random, words: readonly string[]): string[] {
  return words.map((word) => (random.chance(0.6) ? mangledWord(random, word) : word));
}

function mangledWord(random: Random, word: string): string {
  const at = random.between(0, word.length);
  return random.pick([
    word.slice(0, at) + word.slice(at + 1),
    word.slice(0, at) + random.pick(ALPHABETS.flat()) + word.slice(at),
    word.toUpperCase(),
    `${word}${word}`,
    `${word}:`,
    `__proto__`,
    `constructor`,
  ]);
}

function shuffle<T>(random: Random, list: T[]): void {
  for (let at = list.length - 1; at > 0; at -= 1) {
    const other = random.between(0, at);
    [list[at], list[other]] = [list[other] as T, list[at] as T];
  }
}
