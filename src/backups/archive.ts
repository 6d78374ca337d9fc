import type { Archive, ArchivedTimeline, Backup, Gap } from './backup.js';
import { type Ancestor, type Lsn, parseLsn, parseSegment, segmentAt, segmentName } from './wal.js';

/** What lies in an archive, by its names alone. `histories`: what each timeline began from. */
export function summariseArchive(
  names: Iterable<string>,
  size: number,
  histories: ReadonlyMap<number, readonly Ancestor[]>,
): ArchivedTimeline[] {
  const found = new Map<number, number[]>();
  for (const name of names) {
    const segment = parseSegment(name, size);
    if (segment === undefined) continue;
    const numbers = found.get(segment.timeline);
    if (numbers === undefined) found.set(segment.timeline, [segment.number]);
    else numbers.push(segment.number);
  }
  return [...found]
    .sort(([one], [other]) => one - other)
    .map(([timeline, unsorted]) => {
      const numbers = Float64Array.from(unsorted).sort();
      const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
      return {
        timeline,
        first: segmentName({ timeline, number: first }, size),
        last: segmentName({ timeline, number: last }, size),
        segments: numbers.length,
        missing: gapsIn(numbers).map(([from, to]) => gap(timeline, from, to, size)),
        ancestors: timeline === 1 ? [] : (histories.get(timeline) ?? null),
      };
    });
}

function gapsIn(numbers: Float64Array): [from: number, to: number][] {
  const gaps: [number, number][] = [];
  for (let at = 1; at < numbers.length; at += 1) {
    const [before = 0, here = 0] = [numbers[at - 1], numbers[at]];
    if (here > before + 1) gaps.push([before + 1, here - 1]);
  }
  return gaps;
}

const gap = (timeline: number, from: number, to: number, size: number): Gap => ({
  from: segmentName({ timeline, number: from }, size),
  to: segmentName({ timeline, number: to }, size),
  count: to - from + 1,
});

/** A stretch of the log on one timeline, files by number, both ends included. */
export interface Stretch {
  readonly timeline: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The files that lead from a place on one timeline to another on the same or a later one. The file in which a timeline was left
 * is there on the next one, with all of it that counts. Undefined where the one does not descend from the other at that place.
 */
export function pathBetween(
  { segment_size: size, timelines }: Archive,
  from: { readonly timeline: number; readonly lsn: Lsn },
  to: { readonly timeline: number; readonly lsn: Lsn },
): Stretch[] | undefined {
  const ancestors = timelines.find(({ timeline }) => timeline === to.timeline)?.ancestors ?? [];
  const line = [...ancestors, { timeline: to.timeline, until: to.lsn }];
  const begin = line.findIndex(({ timeline }) => timeline === from.timeline);
  const first = line[begin];
  if (first === undefined || first.until < from.lsn) return undefined;
  const stretches: Stretch[] = [];
  let next = segmentAt(from.lsn, size);
  for (const { timeline, until } of line.slice(begin)) {
    const last = timeline === to.timeline ? segmentAt(until, size, 'before') : segmentAt(until, size) - 1;
    if (last >= next) stretches.push({ timeline, from: next, to: last });
    next = Math.max(next, last + 1);
  }
  return stretches;
}

/** Of these files, the ones that are not in the archive. */
export function missingFrom(archive: Archive, path: readonly Stretch[]): Gap[] {
  const { segment_size: size } = archive;
  return path.flatMap(({ timeline, from, to }) => {
    const there = archive.timelines.find((each) => each.timeline === timeline);
    if (there === undefined) return [gap(timeline, from, to, size)];
    const [first, last] = [there.first, there.last].map((name) => parseSegment(name, size)?.number ?? 0);
    const absent: [number, number][] = [
      [Number.NEGATIVE_INFINITY, (first ?? 0) - 1],
      ...there.missing.map((each): [number, number] => [
        parseSegment(each.from, size)?.number ?? 0,
        parseSegment(each.to, size)?.number ?? 0,
      ]),
      [(last ?? 0) + 1, Number.POSITIVE_INFINITY],
    ];
    return absent
      .map(([start, end]) => [Math.max(start, from), Math.min(end, to)] as const)
      .filter(([start, end]) => start <= end)
      .map(([start, end]) => gap(timeline, start, end, size));
  });
}

/** The log that there is from a backup on, along the newest timeline that comes from its own, up to the first gap. */
export interface LogFrom {
  /** The last file before the gap, and the place in the log where it ends. */
  readonly last: string;
  readonly end: Lsn;
  readonly gap: Gap | null;
}

/** Undefined where not even the backup's own log is there. */
export function logFrom(archive: Archive, backup: Backup): LogFrom | undefined {
  const { segment_size: size, timelines } = archive;
  if (backup.timeline === null || backup.start_lsn === null) return undefined;
  const from = { timeline: backup.timeline, lsn: parseLsn(backup.start_lsn) };
  for (const { timeline, last } of timelines.toReversed()) {
    const tip = parseSegment(last, size)?.number ?? 0;
    const path = pathBetween(archive, from, { timeline, lsn: BigInt(tip + 1) * BigInt(size) });
    if (path === undefined || path.length === 0) continue;
    const [gap] = missingFrom(archive, path);
    const number = gap === undefined ? tip : (parseSegment(gap.from, size)?.number ?? 0) - 1;
    const on = path.find((stretch) => stretch.from <= number && number <= stretch.to);
    if (on === undefined) return undefined;
    return {
      last: segmentName({ timeline: on.timeline, number }, size),
      end: BigInt(number + 1) * BigInt(size),
      gap: gap ?? null,
    };
  }
  return undefined;
}
