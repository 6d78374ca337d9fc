/** The exit codes that `nestctl` promises; 1 is a failure outside of it, never a defect. */
const DOCUMENTED = new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);

const STACK = /^\s+at .*(:\d+:\d+|node:|native)\)?$/m;

export interface Judged {
  readonly code: number | null;
  /** Code of the error, where there was one and it was told in JSON. */
  readonly error?: string | undefined;
  readonly problems: string[];
  readonly stdout: string;
  readonly stderr: string;
}

/** What is wrong with how a command line ended. */
export function judgeRun(
  argv: readonly string[],
  {
    code,
    stdout,
    stderr,
  }: { readonly code: number | null; readonly stdout: string; readonly stderr: string },
  forbidden: readonly string[] = [],
): Judged {
  const problems: string[] = [];
  const told = `${stdout}\n${stderr}`;
  if (code === null || !DOCUMENTED.has(code)) problems.push(`exit code ${code}`);
  // --verbose tells on stderr where what the system refused was asked for.
  const verbose = argv.includes('--verbose');
  if (STACK.test(stdout) || (!verbose && STACK.test(stderr))) problems.push('a stack trace');
  for (const secret of forbidden) if (told.includes(secret)) problems.push(`it tells ${secret}`);
  if (/nestctl itself failed/.test(told)) problems.push(`a defect: ${told.slice(0, 2_000)}`);
  if (/\[object Object\]|UnhandledPromise|(Type|Reference|Range|Syntax)Error\b/.test(told)) {
    problems.push(`an error of the language: ${told.slice(0, 2_000)}`);
  }
  const end = argv.indexOf('--');
  const json = (end === -1 ? argv : argv.slice(0, end)).includes('--json');
  const helped = /^USAGE$|^VERSION$/m.test(stdout) || /^nestctl\/\d/.test(stdout);
  let error: string | undefined;
  if (json && !helped) {
    try {
      const body = JSON.parse(stdout) as {
        ok: boolean;
        error?: { code: string; exitCode: number };
        meta?: { exit_code: number };
      };
      error = body.error?.code;
      const said = body.ok ? body.meta?.exit_code : body.error?.exitCode;
      if (said !== code) problems.push(`exit code ${code}, but the envelope says ${said}`);
    } catch {
      problems.push(`stdout is not one JSON document: ${stdout.slice(0, 500)}`);
    }
  } else if (code !== 0 && code !== 3 && code !== 8 && code !== 9 && stderr === '') {
    problems.push('it failed and said nothing');
  }
  return { code, error, problems, stdout, stderr };
}
