import type { TableCommand } from '../explain/table-facts.js';
import type { Case } from './cases.js';
import type { Table } from './declaration.js';
import type { ModelRow } from './model.js';

/** Who tries something: a member of the model, or somebody whom the members' policies must give nothing. */
export interface Actor {
  /** For people: `professional, membership expired`, `nobody`, `nestsync_support without a grant`. */
  readonly title: string;
  readonly role: string;
  /** The person in the claims. */
  readonly person: string | null;
  /** Whether the login behind the session is one of an app's. */
  readonly registered: boolean;
  readonly standing: Case | undefined;
}

/** One command of one actor, and what the access table says of it. */
export interface Attempt {
  readonly no: number;
  readonly table: Table;
  readonly command: TableCommand;
  readonly actor: Actor;
  /** The row that it is tried on; for select all rows that must be seen, for insert none. */
  readonly row: ModelRow | undefined;
  /** Up to its WHERE; for select none. */
  readonly statement: string;
  /** Rows touched, `refused`, or for select `rows`. */
  readonly expected: 'ok:0' | 'ok:1' | 'refused' | 'rows';
  readonly keys: readonly string[];
  /** `a row of another author`, in words that follow the command. */
  readonly about: string;
  /** What the owner does before, in the attempt's own savepoint. */
  readonly setup?: string;
  /** The row that an insert would make, which only a script needs. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** An attempt that went otherwise than the access table says. */
export interface Disagreement {
  readonly attempt: Attempt;
  readonly came: string;
  /** Of select: rows seen that must not be, and rows not seen that must be. */
  readonly extra: readonly string[];
  readonly missing: readonly string[];
}

/** A right on a table that is there and should not be, or the other way round. */
export interface StrayRight {
  readonly role: string;
  readonly table: string;
  readonly right: string;
  readonly given: boolean;
}
