import type { Paint } from '../colour.js';

/** Where a view is drawn. */
export interface Page {
  /** Columns of the terminal; undefined where nothing may be left out, as in a pipe. */
  readonly width: number | undefined;
  /** IANA zone for times. */
  readonly zone: string;
  readonly paint: Paint;
  /** The columns asked for by name. */
  readonly columns?: readonly string[] | undefined;
  /** Says something beside the data. */
  readonly note: (text: string) => void;
}
