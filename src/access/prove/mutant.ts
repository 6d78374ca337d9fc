import type { TableCommand } from '../explain/table-facts.js';
import type { Table } from './declaration.js';

/** One weakness that somebody could put into the database by mistake. */
export interface Mutant {
  readonly kind: 'condition' | 'permission' | 'role' | 'restrictive' | 'row security' | 'grant' | 'helper';
  /** `usage_logs_member_select` or `private.member_families`. */
  readonly object: string;
  /** What was weakened, in words. */
  readonly change: string;
  readonly statements: readonly string[];
  /** Where it can show; everywhere where absent. */
  readonly tables?: readonly Table[];
  readonly commands?: readonly TableCommand[];
  /** What a reason why nobody notices has to be looked for in. */
  readonly trace: Trace;
}

/** The origin of a mutant, by which a reason for its equivalence is checked. */
export type Trace =
  | {
      readonly of: 'condition';
      readonly policy: PolicyText;
      readonly part: 'using' | 'check';
      /** The way to what was changed. */
      readonly path: readonly number[];
      /** A row scope asked for beside those asked before; where absent the part was left out. */
      readonly added?: { readonly permission: string; readonly scope: string } | undefined;
      readonly dropped: boolean;
    }
  | { readonly of: 'roles'; readonly policy: PolicyText }
  | { readonly of: 'force' | 'off'; readonly table: Table }
  | { readonly of: 'shortcut' | 'spared' }
  | { readonly of: 'other' };

export interface PolicyText {
  readonly table: Table;
  readonly name: string;
  readonly command: TableCommand | 'all';
  readonly permissive: boolean;
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

export interface Verdict {
  readonly mutant: Mutant;
  readonly verdict: 'noticed' | 'equivalent' | 'survived' | 'untried';
  /** What noticed it, why it changes nothing, or why it could not be tried. */
  readonly by: string;
}

export type ConditionTrace = Extract<Trace, { of: 'condition' }>;
