import * as Flags from '@oclif/core/flags';
import { NestctlError } from '../../platform/errors.js';
import { isZone, systemZone } from '../../platform/zone.js';
import { parseInstant } from '../time/parse-instant.js';

/** For a zone alone. */
export const zoneFlags = {
  zone: Flags.string({
    description: "the zone times are read and shown in; this machine's when absent",
    helpGroup: 'TIME',
    helpValue: 'America/Toronto',
  }),
};

/** For a span of time; read them with `timeRange(this.flags)`. */
export const timeRangeFlags = {
  since: Flags.string({
    description: 'from here on: 3h, 2d, a date or a time',
    helpGroup: 'TIME',
    helpValue: 'TIME',
  }),
  until: Flags.string({
    description: 'before this; a date means to the end of that day',
    helpGroup: 'TIME',
    helpValue: 'TIME',
  }),
  ...zoneFlags,
};

export interface TimeRange {
  /** Included. */
  readonly since: Date | undefined;
  /** Not included. */
  readonly until: Date | undefined;
  readonly zone: string;
}

/** The span that the time flags name. Throws `usage`. */
export function timeRange(
  flags: {
    readonly since?: string | undefined;
    readonly until?: string | undefined;
    readonly zone?: string | undefined;
  },
  now = new Date(),
): TimeRange {
  const zone = zoneOf(flags);
  const read = (name: 'since' | 'until', edge: 'start' | 'end') => {
    const input = flags[name];
    try {
      return input === undefined ? undefined : parseInstant(input, { zone, now, edge });
    } catch (error) {
      throw new NestctlError(`--${name}: ${(error as Error).message}`, {
        kind: 'usage',
        code: 'invalid_time',
      });
    }
  };
  const since = read('since', 'start');
  const until = read('until', 'end');
  if (since !== undefined && until !== undefined && since >= until) {
    throw new NestctlError('--since is not before --until.', { kind: 'usage', code: 'invalid_time' });
  }
  return { since, until, zone };
}

/** The moment that --at names (or another flag, by `name`), which is past; undefined without it. Throws `usage`. */
export function pastInstant(
  flags: { readonly at?: string | undefined; readonly zone?: string | undefined },
  now = new Date(),
  name = 'at',
): Date | undefined {
  const { at } = flags;
  if (at === undefined) return undefined;
  const refuse = (why: string) =>
    new NestctlError(`--${name}: ${why}`, { kind: 'usage', code: 'invalid_time' });
  let moment: Date;
  try {
    moment = parseInstant(at, { zone: zoneOf(flags), now, edge: 'start' });
  } catch (error) {
    if (error instanceof NestctlError) throw error;
    throw refuse((error as Error).message);
  }
  if (moment > now) throw refuse(`${at} is still to come.`);
  return moment;
}

/** The zone asked for, else this machine's. Throws `usage` for a zone that does not exist. */
export function zoneOf(flags: { readonly zone?: string | undefined }): string {
  if (flags.zone === undefined) return systemZone();
  if (isZone(flags.zone)) return flags.zone;
  throw new NestctlError(`--zone: there is no zone "${flags.zone}".`, {
    kind: 'usage',
    code: 'invalid_zone',
    hint: 'Names are as in America/Toronto, America/St_Johns, Europe/Paris.',
  });
}
