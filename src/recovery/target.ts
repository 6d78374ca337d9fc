/** The moment that a database is recovered to. */
export type RecoveryTarget =
  /** The last transaction that ended before it, to the microsecond. */
  | { readonly kind: 'time'; readonly time: Date }
  /** All of the archived log. */
  | { readonly kind: 'latest' }
  | { readonly kind: 'lsn'; readonly lsn: string }
  /** Just before a transaction that should not have been; `about`: when it was, for the choice of a backup. */
  | { readonly kind: 'before'; readonly xid: string; readonly about: Date }
  /** A restore point by its name. */
  | { readonly kind: 'point'; readonly name: string };

export function describeTarget(target: RecoveryTarget): string {
  switch (target.kind) {
    case 'time':
      return target.time.toISOString();
    case 'latest':
      return 'the end of the archived log';
    case 'lsn':
      return `LSN ${target.lsn}`;
    case 'before':
      return `just before transaction ${target.xid}, about ${target.about.toISOString()}`;
    case 'point':
      return `restore point ${target.name}`;
  }
}

/** As PostgreSQL takes it. */
export function targetSettings(target: RecoveryTarget): Readonly<Record<string, string>> {
  switch (target.kind) {
    case 'time':
      // Its own names of zones are not there yet when it reads this.
      return { recovery_target_time: target.time.toISOString().replace('T', ' ').replace('Z', '+00') };
    case 'latest':
      return {};
    case 'lsn':
      return { recovery_target_lsn: target.lsn };
    case 'before':
      // The log has only the lower half of a transaction's number.
      return {
        recovery_target_xid: String(BigInt(target.xid) & 0xffffffffn),
        recovery_target_inclusive: 'off',
      };
    case 'point':
      return { recovery_target_name: target.name };
  }
}
