/** Where the log of a cluster stands, counted in bytes; PostgreSQL writes it `0/16B3748`. */
export type Lsn = bigint;

/** A file of the log: its timeline, and which one of it from 0. */
export interface Segment {
  readonly timeline: number;
  readonly number: number;
}

/** Throws where it is none. */
export function parseLsn(text: string): Lsn {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text.trim()) ?? [];
  if (high === undefined || low === undefined) throw new Error(`no LSN: ${text}`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function formatLsn(lsn: Lsn): string {
  const hex = (value: bigint) => value.toString(16).toUpperCase();
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`;
}

/** The segment with the byte at `lsn`; `before`: with the one before it, as a range that ends there needs. */
export function segmentAt(lsn: Lsn, size: number, side: 'at' | 'before' = 'at'): number {
  return Number((side === 'at' || lsn === 0n ? lsn : lsn - 1n) / BigInt(size));
}

/** Undefined for whatever else lies in an archive: histories, labels of backups, what is not written to its end. */
export function parseSegment(name: string, size: number): Segment | undefined {
  if (!/^[0-9A-F]{24}$/.test(name)) return undefined;
  const number = (from: number) => Number.parseInt(name.slice(from, from + 8), 16);
  return { timeline: number(0), number: number(8) * perLog(size) + number(16) };
}

export function segmentName({ timeline, number }: Segment, size: number): string {
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return hex(timeline) + hex(Math.floor(number / perLog(size))) + hex(number % perLog(size));
}

const perLog = (size: number) => 2 ** 32 / size;

/** A timeline that another began from, and where. */
export interface Ancestor {
  readonly timeline: number;
  readonly until: Lsn;
}

/** What a history file (`00000003.history`) says, oldest first. */
export function parseHistory(text: string): Ancestor[] {
  return text
    .split('\n')
    .filter((line) => /^\s*\d/.test(line))
    .map((line) => {
      const [timeline = '', until = ''] = line.trim().split(/\s+/);
      return { timeline: Number(timeline), until: parseLsn(until) };
    });
}
