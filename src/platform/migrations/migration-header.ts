import { NestctlError } from '../errors.js';

/** What the first comment lines of an `up.sql` declare. */
export interface MigrationHeader {
  readonly kind: 'schema' | 'data';
  /** The strongest locks taken and on what, in words, for the plan that a person reads. */
  readonly locks: string;
  /** False: run statement by statement outside any transaction, and safe to run again. */
  readonly transaction: boolean;
  readonly reversible: boolean;
  /** Under what condition it is reversible, or why not. */
  readonly remark?: string;
  /** Tables that keep existing but whose rows the down may delete, because the up put them there. */
  readonly seeds: readonly string[];
  /** The comment under the header: what the migration is for. */
  readonly summary: string;
}

const REQUIRED = ['kind', 'locks', 'transaction', 'reversible'];
const KNOWN = [...REQUIRED, 'seeds'];

/**
 * Reads the header: `-- key: value` lines from the first line on, each once, then free comment lines.
 * Throws `failure` naming the file and what is missing or wrong.
 */
export function parseHeader(path: string, text: string): MigrationHeader {
  const lines = text.split('\n');
  const values = new Map<string, string>();
  let at = 0;
  for (; at < lines.length; at++) {
    const [, key, value] = /^-- ([a-z]+):\s+(\S.*?)\s*$/.exec(lines[at] ?? '') ?? [];
    if (key === undefined || value === undefined) break;
    if (!KNOWN.includes(key)) {
      throw wrong(path, `its header has "${key}", which is not one of ${KNOWN.join(', ')}`);
    }
    if (values.has(key)) throw wrong(path, `its header has "${key}" twice`);
    values.set(key, value);
  }
  const take = (key: string): string => {
    const value = values.get(key);
    if (value === undefined) throw wrong(path, `its header lacks "-- ${key}: …"`);
    return value;
  };
  for (const key of REQUIRED) take(key);
  const [, reversible, remark] = /^(yes|no)(?:\b[\s,(]*(\S.*?)\)?)?$/.exec(take('reversible')) ?? [];
  if (reversible === undefined || (reversible === 'no' && remark === undefined)) {
    throw wrong(path, '"reversible" is "yes" or "no (why)"');
  }
  return {
    kind: oneOf(path, 'kind', take('kind'), ['schema', 'data']),
    locks: take('locks'),
    transaction: oneOf(path, 'transaction', take('transaction'), ['yes', 'no']) === 'yes',
    reversible: reversible === 'yes',
    ...(remark === undefined ? {} : { remark }),
    seeds: (values.get('seeds') ?? '').split(/\s*,\s*/).filter((name) => name !== ''),
    summary: summary(lines.slice(at)),
  };
}

function summary(lines: readonly string[]): string {
  const start = lines.findIndex((line) => line !== '' && line !== '--');
  const rest = start === -1 ? [] : lines.slice(start);
  const end = rest.findIndex((line) => !/^-- \S/.test(line) || line === '-- statement');
  return rest
    .slice(0, end === -1 ? rest.length : end)
    .map((line) => line.slice(3).trim())
    .join(' ');
}

function oneOf<T extends string>(path: string, key: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((option) => option === value);
  if (found === undefined) throw wrong(path, `"${key}" is ${allowed.join(' or ')}, not "${value}"`);
  return found;
}

export function wrong(path: string, what: string): NestctlError {
  return new NestctlError(`${path}: ${what}.`, { kind: 'failure', code: 'migration_file_invalid' });
}
