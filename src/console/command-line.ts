/** A word as a POSIX shell reads it back. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A complete command to type, from its words. */
export function commandLine(words: readonly string[]): string {
  return ['nestctl', ...words].map(shellQuote).join(' ');
}

/** The words without a flag and its value, in either spelling. What stands after `--` is no flag. */
export function withoutFlag(argv: readonly string[], name: string): string[] {
  const end = argv.indexOf('--');
  return argv.filter(
    (word, at) =>
      (end !== -1 && at >= end) ||
      (word !== `--${name}` && !word.startsWith(`--${name}=`) && argv[at - 1] !== `--${name}`),
  );
}

/** The words without a flag that takes no value. */
export function withoutSwitch(argv: readonly string[], name: string): string[] {
  const end = argv.indexOf('--');
  return argv.filter((word, at) => (end !== -1 && at >= end) || word !== `--${name}`);
}

/** The words with more flags, before a `--` that ends them. */
export function withFlags(argv: readonly string[], flags: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return end === -1 ? [...argv, ...flags] : [...argv.slice(0, end), ...flags, ...argv.slice(end)];
}

/** A next command of ours in the context that was chosen by hand; what names a context itself stays as it is. */
export function inContext(next: string | undefined, context: string | undefined): string | undefined {
  if (next === undefined || context === undefined || !next.startsWith('nestctl ')) return next;
  if (/ --(context|help)\b|^nestctl (context|local|help|completion|demo)\b/.test(next)) return next;
  return `${next} --context ${shellQuote(context)}`;
}
