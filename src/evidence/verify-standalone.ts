/**
 * The verifier for whoever trusts neither the console nor its database: it and all that it imports need Node.js and
 * nothing else, so that an auditor can read all of it.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EXIT, NestctlError } from '../platform/errors.js';
import { fingerprint, parseKeySet } from '../platform/signing/key-set.js';
import { digestOfFile } from './find-subject.js';
import { parseHead } from './parse-head.js';
import { asText, oneLine, printable } from './standalone/as-text.js';
import type { Checked } from './standalone/checked.js';
import { verifyPath } from './standalone/verify-path.js';

const USAGE = `usage: node bin/verify.js --keys KEYS.json [--head CHAIN:SIZE:SHA256]… [--file FILE]…
         [--family ID] [--to TIME|LEAF] [--json] PATH…

Checks signed evidence of nestctl with the public keys alone. PATH is a folder of chains, one chain, a single signed
record, the proof of an audit event (nestctl audit proof), a family's whole history (nestctl audit export --bundle), or
a person's package (nestctl export create): its bytes, and each file in it by its manifest. Of an encrypted package the
outside is looked at, and its record names it where --file does; decrypt it, and the package in it can be verified.
Take KEYS.json (nestctl evidence key publish) from somewhere you trust, never from beside the evidence, and compare its
fingerprint. With --family and --to a history must be of that family, and complete until then. With --head, a note of an earlier visit, it is seen too when the end of a
chain was cut off. With --file, the records are named that vouch for these very bytes: a package, a report.

Exit codes: 0 all is as it was signed; 3 something was tampered with, and what; 9 something could not be checked;
1 failure; 2 usage; 5 not found.
`;

export interface Verdict {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Verifies what a command line names. Never throws. */
export async function verifyStandalone(argv: readonly string[]): Promise<Verdict> {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        keys: { type: 'string' },
        head: { type: 'string', multiple: true, default: [] },
        file: { type: 'string', multiple: true, default: [] },
        family: { type: 'string' },
        to: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { exitCode: EXIT.done, stdout: USAGE, stderr: '' };
    if (values.keys === undefined || positionals.length === 0) return refused(USAGE, EXIT.usage);
    const keySet = parseKeySet(await readFile(values.keys, 'utf8'), values.keys);
    const known = values.head.map(parseHead);
    const expected = { family: values.family?.toLowerCase(), to: readTo(values.to) };
    const checked: Checked[] = [];
    const files = new Map<string, string>();
    for (const file of values.file) files.set(file, await digestOfFile(file));
    for (const path of positionals) checked.push(await verifyPath(path, keySet, known, files, expected));
    const strangers = [...files.keys()].filter(
      (file) => !checked.some(({ vouches = [] }) => vouches.some((each) => each.file === file)),
    );
    const exitCode =
      strangers.length > 0 || checked.some(({ chains }) => chains.some(({ faults }) => faults.length > 0))
        ? EXIT.finding
        : checked.some(
              ({ chains, unchecked }) =>
                unchecked !== undefined || chains.some(({ doubts }) => doubts.length > 0),
            )
          ? EXIT.partial
          : EXIT.done;
    const stdout = values.json
      ? `${JSON.stringify({ ok: exitCode === EXIT.done, keys: fingerprint(keySet.keys), checked, strangers }, null, 2)}\n`
      : [
          `keys ${fingerprint(keySet.keys)}\n`,
          ...checked.map(asText),
          ...strangers.map((file) => `STRANGER  ${oneLine(file)}: no record here is about these bytes\n`),
        ].join('');
    return { exitCode, stdout: printable(stdout), stderr: '' };
  } catch (error) {
    return refused(...explain(error));
  }
}

/** A time or a leaf, as --to has it. */
function readTo(to: string | undefined): string | number | undefined {
  if (to === undefined || /^[0-9]{1,15}$/.test(to)) return to === undefined ? undefined : Number(to);
  const time = new Date(to);
  if (Number.isNaN(time.getTime()))
    throw new NestctlError(`${to} is neither a time nor the number of a leaf.`, {
      kind: 'usage',
      code: 'invalid_time',
    });
  return time.toISOString();
}

function explain(error: unknown): [message: string, exitCode: number] {
  if (error instanceof NestctlError) return [`${error.message}\n`, error.exitCode];
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return [`${path} does not exist.\n`, EXIT.not_found];
  if (code?.startsWith('ERR_PARSE_ARGS')) return [`${message}\n\n${USAGE}`, EXIT.usage];
  return [`It could not be read: ${code ?? 'unknown error'}.\n`, EXIT.failure];
}

function refused(message: string, exitCode: number): Verdict {
  return { exitCode, stdout: '', stderr: printable(message) };
}
