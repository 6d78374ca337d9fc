import type { TableView, View } from './views.js';

/** What a command hands back: data for programs, and a view of it for people. */
export interface Outcome {
  /** Printed as it is by `--json`: plain data with snake_case keys, dates as Date. An object or an array. */
  readonly result: object;
  readonly view: View | readonly View[];
  /** The rows for CSV, NDJSON and `--columns`, where the view shows them otherwise than in its one table. */
  readonly rows?: TableView | undefined;
  /** The document of a format that this command alone has, such as SARIF; an object to print as JSON. */
  readonly document?: (() => object) | undefined;
  /** It was printed as it came. */
  readonly printed?: true;
  /** Where more follows: the cursor of the next page. */
  readonly nextCursor?: string | undefined;
  /** Done, but: a check found something (exit 3), it waits for somebody (8), or only part of it was done (9). */
  readonly verdict?: 'finding' | 'pending' | 'partial' | undefined;
  /** Milliseconds since the answer was kept on this machine; undefined where the server answered. */
  readonly cacheAge?: number | undefined;
  /** A complete command worth typing next. */
  readonly next?: string | undefined;
}

/** What went well with a reservation; in the envelope under `--json`, else on stderr. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}
