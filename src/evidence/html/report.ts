/** The languages that reports are written in. */
export type Language = 'en' | 'fr';

/** A text in every language a report may be asked for in. */
export type Words = Readonly<Record<Language, string>>;

/** A value as data holds it: times and numbers are written as the reader's language writes them. */
export type Value = string | number | bigint | boolean | Date | null;

/**
 * What a report says, never how it looks. Words of ours come in every language; values are data, from wherever,
 * and may hold anything.
 */
export interface Report {
  readonly title: Words;
  /** One line below the title. */
  readonly lead?: Words | undefined;
  readonly sections: readonly Section[];
  /** Closing remark, such as how to verify the report. */
  readonly foot?: Words | undefined;
}

export interface Section {
  readonly heading: Words;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: Words }
  /** Unknown is a verdict of its own, never a pass. */
  | { readonly kind: 'verdict'; readonly verdict: 'good' | 'bad' | 'unknown'; readonly text: Words }
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [label: Words, value: Value])[] }
  | TableBlock
  | ChartBlock
  /** To be copied: commands, hashes, raw data. */
  | { readonly kind: 'code'; readonly label: Words; readonly text: string };

export interface TableBlock {
  readonly kind: 'table';
  readonly caption: Words;
  readonly columns: readonly { readonly heading: Words; readonly align?: 'right' }[];
  /** The first cell of a row names it. */
  readonly rows: readonly (readonly Value[])[];
  readonly empty: Words;
}

export interface ChartBlock {
  readonly kind: 'bars' | 'line';
  readonly caption: Words;
  /** What the numbers are, such as minutes; the heading of their column. */
  readonly unit: Words;
  /** What the points are, such as months. */
  readonly axis: Words;
  readonly points: readonly { readonly label: string; readonly value: number }[];
}
