/** PostgreSQL's own count of time, microseconds since 2000-01-01 00:00:00 UTC. */
export function microsecondsOf(time: Date): bigint {
  return BigInt(time.getTime() - Date.UTC(2000, 0, 1)) * 1000n;
}

/** The SQL of that time, to the microsecond. */
export function asTime(microseconds: bigint | string): string {
  return `(timestamptz '2000-01-01 00:00:00+00' + ${microseconds} * interval '1 microsecond')`;
}
