/** A family in a list: whole where a grant covers it, masked where it comes from the directory. */
export interface FamilyRow {
  readonly id: string;
  readonly name: string;
  readonly family_type: string;
  readonly province: string | null;
  readonly status: 'live' | 'archived';
  readonly members: number;
  /** Masked e-mail addresses of its core members; only from the directory. */
  readonly contacts: readonly string[] | null;
  readonly masked: boolean;
}

export interface FamilyPage {
  readonly families: readonly FamilyRow[];
  readonly nextCursor: string | undefined;
}

/** One of them. */
export interface FamilySearch {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly id?: string | undefined;
}
