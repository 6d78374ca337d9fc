/** What one column answers, as privacy.column_answers has it. `column` is "*" for the other columns of a platform's table. */
export interface ColumnAnswer {
  readonly table: string;
  readonly column: string;
  readonly whose: 'subject' | 'joint' | 'other' | 'operational';
  /** Whom it is about; null for what is operational, as are category and origin. */
  readonly subject: string | null;
  readonly category: string | null;
  readonly origin: 'provided' | 'reported' | 'observed' | 'inferred' | 'assigned' | null;
  readonly purpose: string;
  readonly retention: string;
  readonly erasure: 'delete' | 'anonymize' | 'keep' | 'sever' | 'none';
  /** SQL expression; null: NULL. */
  readonly anonymized_as: string | null;
  /** What keeps it, where erasure is `keep`. */
  readonly obligation: string | null;
  readonly exported: boolean;
  /** Why its subject is not given it. */
  readonly withheld: string | null;
}

/** One hop from the rows of a table towards a person. */
export interface TablePath {
  readonly table: string;
  readonly path: string;
  readonly via: 'direct' | 'membership' | 'child' | 'guardianship' | 'email' | 'author' | 'payload' | 'link';
  /** Null for a link, which reaches nobody; so is whose. */
  readonly subject: string | null;
  readonly whose: 'subject' | 'joint' | 'other' | null;
  readonly columns: readonly string[];
  readonly to_table: string;
  readonly to_columns: readonly string[];
  readonly compares: 'equal' | 'lower' | 'contains' | 'sha256';
}
