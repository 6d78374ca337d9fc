import * as Flags from '@oclif/core/flags';
import { NestctlError } from '../../platform/errors.js';
import { parseInstant } from '../time/parse-instant.js';
import { zoneFlags, zoneOf } from './time-range.js';
import { textFlag } from './values.js';

const ONE = ['to', 'latest', 'lsn', 'point', 'before-event'] as const;
const others = (name: (typeof ONE)[number]) => ({ exclusive: ONE.filter((other) => other !== name) });

/** The moment to recover to; read them with `recoveryTarget(this.flags, …)`. */
export const targetFlags = {
  to: textFlag({
    description: 'a moment: 14:01:58, 2026-11-30 14:01:58, 2h, or in words, in the zone of --zone',
    helpGroup: 'TARGET',
    helpValue: 'TIME',
    ...others('to'),
  }),
  latest: Flags.boolean({
    description: 'as far as the archived log leads',
    helpGroup: 'TARGET',
    ...others('latest'),
  }),
  lsn: textFlag({
    description: 'a place in the log',
    helpGroup: 'TARGET',
    helpValue: '0/16B3748',
    ...others('lsn'),
  }),
  point: textFlag({
    description: 'a restore point by its name',
    helpGroup: 'TARGET',
    helpValue: 'NAME',
    ...others('point'),
  }),
  'before-event': textFlag({
    description: 'just before the transaction of this event of the audit log: before the mistake',
    helpGroup: 'TARGET',
    helpValue: 'EVENT',
    ...others('before-event'),
  }),
  ...zoneFlags,
};

/** As recovery takes it. */
type Target =
  | { readonly kind: 'time'; readonly time: Date }
  | { readonly kind: 'latest' }
  | { readonly kind: 'lsn'; readonly lsn: string }
  | { readonly kind: 'before'; readonly xid: string; readonly about: Date }
  | { readonly kind: 'point'; readonly name: string };

interface TargetFlags {
  readonly to?: string | undefined;
  readonly latest: boolean;
  readonly lsn?: string | undefined;
  readonly point?: string | undefined;
  readonly 'before-event'?: string | undefined;
  readonly zone?: string | undefined;
}

/** The target that the flags name. `find` looks an event up. Throws `usage` where none is named, or one is none. */
export async function recoveryTarget(
  flags: TargetFlags,
  find: (event: string) => Promise<{ readonly xid: string; readonly occurred_at: Date }>,
  now: Date = new Date(),
): Promise<Target> {
  const { to, latest, lsn, point, 'before-event': event } = flags;
  if (latest) return { kind: 'latest' };
  if (point !== undefined) return { kind: 'point', name: point };
  if (lsn !== undefined) {
    if (/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(lsn)) return { kind: 'lsn', lsn: lsn.toUpperCase() };
    throw usage(`${lsn} is no place in the log: 0/16B3748 is one.`);
  }
  if (event !== undefined) {
    if (!/^\d{1,18}$/.test(event)) throw usage(`${event} is no event: audit query numbers them.`);
    const { xid, occurred_at } = await find(event);
    return { kind: 'before', xid, about: occurred_at };
  }
  if (to === undefined)
    throw usage(
      'Say to which moment: --to, --before-event, --latest, --lsn or --point.',
      'nestctl restore target --latest',
    );
  try {
    return { kind: 'time', time: parseInstant(to, { now, zone: zoneOf(flags), edge: 'start' }) };
  } catch (error) {
    throw usage((error as Error).message);
  }
}

const usage = (message: string, next?: string) =>
  new NestctlError(message, { kind: 'usage', code: 'invalid_target', next });
