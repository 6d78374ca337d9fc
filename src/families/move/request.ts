/** What becomes of a row that belongs to no child alone. */
export type SharedChoice = 'stay' | 'move' | 'copy';
/** Of two rows that cannot both be in one family: the one that is there is kept, or they change places. */
export type ConflictChoice = 'keep' | 'swap';

/** A decision about all rows (`table` null), those of a table, or one row of it. */
export interface Decision<Choice extends string> {
  /** `schema.table`; of public where no schema is named. */
  readonly table: string | null;
  readonly key: string | null;
  readonly choice: Choice;
}

export type MoveWish =
  | { readonly kind: 'merge'; readonly from: string; readonly to: string }
  | {
      readonly kind: 'split';
      readonly from: string;
      readonly name: string;
      readonly children: readonly string[];
    }
  | {
      readonly kind: 'child';
      readonly from: string;
      readonly to: string;
      readonly children: readonly [string];
    }
  | { readonly kind: 'undo'; readonly undoes: string };

export interface Decisions {
  readonly shared?: readonly Decision<SharedChoice>[];
  readonly conflicts?: readonly Decision<ConflictChoice>[];
}

/** As ops.plan_move takes it. */
export type MoveRequest = MoveWish & { readonly shared: object; readonly conflicts: object };

export function moveRequest(wish: MoveWish, { shared = [], conflicts = [] }: Decisions): MoveRequest {
  return { ...wish, shared: asObject(shared), conflicts: asObject(conflicts) };
}

/** `{"*": choice, table: {"*": choice, key: choice}}` */
function asObject(decisions: readonly Decision<string>[]): object {
  const all: Record<string, string | Record<string, string>> = {};
  for (const { table, key, choice } of decisions) {
    if (table === null) all['*'] = choice;
    else {
      const name = table.includes('.') ? table : `public.${table}`;
      all[name] = { ...(all[name] as Record<string, string> | undefined), [key ?? '*']: choice };
    }
  }
  return all;
}
