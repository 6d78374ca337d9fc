/** Privileges of one grantee; `owner` stands for the object's owner, `public` for everybody. */
export interface Grant {
  readonly grantee: string;
  /** In alphabetical order; ` WITH GRANT OPTION` is appended where it applies. */
  readonly privileges: readonly string[];
}

export interface Schema {
  readonly name: string;
  readonly owner: string;
  readonly comment: string | null;
  readonly grants: readonly Grant[];
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  /** `always` or `by default`. */
  readonly identity: string | null;
  /** `stored` or `virtual`; the expression is then in `default`. */
  readonly generated: string | null;
  readonly collation: string | null;
  readonly comment: string | null;
  readonly grants: readonly Grant[];
}

export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';
  readonly owner: string;
  readonly comment: string | null;
  readonly rls: boolean;
  readonly forcedRls: boolean;
  readonly unlogged: boolean;
  readonly options: readonly string[];
  readonly partitionKey: string | null;
  /** The parent and the bound, where it is a partition or inherits. */
  readonly parent: string | null;
  readonly partitionBound: string | null;
  readonly replicaIdentity: string;
  /** Of a view or materialized view; the wording depends on the server's version. */
  readonly definition: string | null;
  readonly columns: readonly Column[];
  readonly grants: readonly Grant[];
}

export interface Constraint {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly kind: 'check' | 'foreign key' | 'primary key' | 'unique' | 'exclusion';
  readonly definition: string;
  readonly validated: boolean;
  readonly comment: string | null;
}

export interface Index {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly unique: boolean;
  readonly valid: boolean;
  /** The constraint it serves. */
  readonly constraint: string | null;
  readonly comment: string | null;
}

export interface Policy {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly command: 'all' | 'select' | 'insert' | 'update' | 'delete';
  readonly permissive: boolean;
  /** `owner` stands for the table's owner, `public` for everybody. */
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
  readonly comment: string | null;
}

export interface Routine {
  readonly schema: string;
  readonly name: string;
  /** With names, modes and defaults. */
  readonly arguments: string;
  readonly result: string | null;
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window';
  readonly language: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly parallel: 'safe' | 'restricted' | 'unsafe';
  readonly securityDefiner: boolean;
  readonly leakproof: boolean;
  readonly strict: boolean;
  readonly cost: number;
  readonly rows: number;
  readonly settings: readonly string[];
  readonly source: string;
  readonly owner: string;
  readonly comment: string | null;
  readonly grants: readonly Grant[];
}

export interface Trigger {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly enabled: 'origin' | 'disabled' | 'replica' | 'always';
  readonly comment: string | null;
}

export interface DefaultPrivilege {
  /** Who will make the objects. */
  readonly role: string;
  /** Null: in every schema. */
  readonly schema: string | null;
  readonly objects: string;
  readonly grants: readonly Grant[];
}

/** Types, sequences, rules, extensions, statistics and event triggers, each as one description. */
export interface OtherObject {
  readonly kind: string;
  readonly identity: string;
  readonly definition: string;
  readonly comment: string | null;
}

/** Everything in a database that a migration can make or change, in a fixed order. */
export interface Catalogue {
  readonly schemas: readonly Schema[];
  readonly relations: readonly Relation[];
  readonly constraints: readonly Constraint[];
  readonly indexes: readonly Index[];
  readonly policies: readonly Policy[];
  readonly routines: readonly Routine[];
  readonly triggers: readonly Trigger[];
  readonly defaultPrivileges: readonly DefaultPrivilege[];
  readonly others: readonly OtherObject[];
}
