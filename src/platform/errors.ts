/**
 * Exit codes, the same in text and JSON. Scripts depend on them: a stable interface.
 * 3 wins where several would do.
 */
export const EXIT = {
  done: 0,
  failure: 1,
  usage: 2,
  finding: 3,
  not_allowed: 4,
  not_found: 5,
  conflict: 6,
  needs_input: 7,
  pending: 8,
  partial: 9,
  interrupted: 130,
} as const;

export type ErrorKind = Exclude<keyof typeof EXIT, 'done'>;

export interface ErrorDetails {
  /** Decides the exit code. */
  readonly kind: ErrorKind;
  /** A finer, stable name for scripts, such as `server_down`; the kind itself when absent. */
  readonly code?: string;
  /** What to understand or do, in one sentence. */
  readonly hint?: string | undefined;
  /** A complete command to type next. */
  readonly next?: string | undefined;
  /** A name that is none, and those there are: what was meant may be among them. */
  readonly mistaken?: { readonly name: string; readonly among: readonly string[] } | undefined;
  /** Of what was typed, the text with the fault and its place in it; shown to the person who typed it only. */
  readonly excerpt?: { readonly text: string; readonly at: number } | undefined;
  readonly cause?: unknown;
}

/**
 * An expected failure: a sentence for a person, a code and an exit code for a script, and a way on.
 * It holds no secret and no row data, so it can be printed, logged and sent as JSON as it is.
 */
export class NestctlError extends Error {
  override readonly name = 'NestctlError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly next: string | undefined;
  readonly mistaken: ErrorDetails['mistaken'];
  readonly excerpt: ErrorDetails['excerpt'];

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = details.kind;
    this.code = details.code ?? details.kind;
    this.exitCode = EXIT[details.kind];
    this.hint = details.hint;
    this.next = details.next;
    this.mistaken = details.mistaken;
    this.excerpt = details.excerpt;
  }
}
