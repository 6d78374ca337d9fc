import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { NestctlError } from '../../platform/errors.js';
import { formatDuration, parseDuration } from '../time/parse-duration.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Lower-case UUID, or an Error with a sentence. */
export function parseUuid(input: string): string {
  if (!UUID.test(input)) throw new Error(`"${input}" is not an id: 8-4-4-4-12 hexadecimal digits are`);
  return input.toLowerCase();
}

/** A parser for an argument: oclif makes a usage error of what a flag's parser throws, but not of an argument's. */
export function argParser<T>(parse: (input: string) => T): (input: string) => Promise<T> {
  return async (input) => {
    try {
      return parse(input);
    } catch (error) {
      throw new NestctlError(`${(error as Error).message}.`, { kind: 'usage', code: 'usage' });
    }
  };
}

export const uuidArg = Args.custom<string>({ parse: argParser(parseUuid) });

export const uuidFlag = Flags.custom<string>({ parse: async (input) => parseUuid(input), helpValue: 'ID' });

type Bounds = { min?: number; max?: number };

/** Milliseconds, between `min` (a second when absent) and `max`. */
export const durationFlag = Flags.custom<number, Bounds>({
  helpValue: '30m|2h|7d',
  defaultHelp: async ({ options }) =>
    typeof options.default === 'number' ? typed(options.default) : undefined,
  parse: async (input, _, { min = 1_000, max = Number.POSITIVE_INFINITY }) => {
    const duration = parseDuration(input);
    if (duration === undefined) throw new Error(`"${input}" is not a duration: write 30m, 1h30m or 7d`);
    if (duration < min) throw new Error(`${input} is too short: at least ${formatDuration(min)}`);
    if (duration > max) throw new Error(`${input} is too long: at most ${formatDuration(max)}`);
    return duration;
  },
});

/** `1h30m` */
function typed(duration: number): string {
  return formatDuration(duration).replaceAll('min', 'm').replaceAll(' ', '');
}

/** A whole number from `min` (1 when absent) to `max`. */
export const countFlag = Flags.custom<number, Bounds>({
  helpValue: 'N',
  parse: async (input, _, { min = 1, max = Number.MAX_SAFE_INTEGER }) => {
    const count = /^[+-]?\d+$/.test(input) ? Number(input) : Number.NaN;
    if (Number.isNaN(count)) throw new Error(`"${input}" is not a whole number`);
    if (count < min || count > max) throw new Error(`${input} is not between ${min} and ${max}`);
    return count;
  },
});

/** A day of the calendar, YYYY-MM-DD. */
export const dayFlag = Flags.custom<string>({
  helpValue: '2026-11-28',
  parse: async (input) => {
    const day = /^\d{4}-\d{2}-\d{2}$/.test(input) ? new Date(`${input}T00:00:00Z`) : undefined;
    if (day === undefined || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== input)
      throw new Error(`"${input}" is not a day: write 2026-11-28`);
    return input;
  },
});

/** Text that says something: not empty, not only blanks. */
export const textFlag = Flags.custom<string>({
  parse: async (input) => {
    if (input.trim() === '') throw new Error('it must say something');
    return input.trim();
  },
});

/** A JSON object. */
export const jsonObjectFlag = Flags.custom<Readonly<Record<string, unknown>>>({
  helpValue: 'JSON',
  parse: async (input) => {
    const value = parseJson(input);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    throw new Error(`it is no JSON object: write '{"column":"value"}'`);
  },
});

function parseJson(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}

export function formatFlag(options: string[], description: string) {
  return Flags.string({ description, options, default: options[0] as string, helpGroup: 'GLOBAL' });
}
