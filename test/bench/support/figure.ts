import type { OwnServer } from '../../support/server.js';

/** One promise of the project, as measured. */
export interface Finding {
  /** What is compared with what. */
  readonly claim: string;
  /** A ratio of medians of one run. */
  readonly ratio: number;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
  /** The absolute figures behind it. */
  readonly behind: string;
}

export interface Report {
  readonly findings: readonly Finding[];
  /** How it was measured, and what else is worth knowing. */
  readonly notes: readonly string[];
}

export interface Bench {
  /** Fewer rows and rounds, for development. */
  readonly quick: boolean;
  /** Its own embedded server, started when first asked for. */
  server(): Promise<OwnServer>;
  /** A folder of its own, removed at the end. */
  folder(): Promise<string>;
  /** A line about what is going on. */
  say(line: string): void;
}

export interface Figure {
  readonly title: string;
  measure(bench: Bench): Promise<Report>;
}

export function holds({ ratio, limit }: Finding): boolean {
  return 'atMost' in limit ? ratio <= limit.atMost : ratio >= limit.atLeast;
}
