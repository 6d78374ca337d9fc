/** Another session that stands in the way, as far as PostgreSQL lets the owner see it. */
export interface Holder {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  /** `active`, `idle in transaction` …; empty where the owner may not see it. */
  readonly state: string;
  /** Age of its transaction or, without one, of its connection, in seconds; null where hidden. */
  readonly seconds: number | null;
}

/** What happens while migrating, told as it happens. */
export type MigrationStep =
  | { readonly type: 'waiting'; readonly for: 'migrator'; readonly holders: readonly Holder[] }
  | {
      readonly type: 'waiting';
      readonly for: 'lock';
      readonly name: string;
      readonly holders: readonly Holder[];
    }
  | { readonly type: 'roles'; readonly made: readonly string[] }
  | { readonly type: 'started'; readonly name: string; readonly direction: 'up' | 'down' }
  | { readonly type: 'retrying'; readonly name: string; readonly attempt: number }
  | { readonly type: 'dropped_invalid_index'; readonly name: string; readonly index: string }
  | {
      readonly type: 'done';
      readonly name: string;
      readonly direction: 'up' | 'down';
      /** Milliseconds. */
      readonly duration: number;
    };

export type OnStep = (step: MigrationStep) => void;

/** `process 4711 (nestsync_owner, nestctl migrate, idle in transaction, for 12 s)`. */
export function describeHolder(holder: Holder): string {
  const facts = [
    holder.user,
    holder.application,
    holder.state,
    holder.seconds === null ? '' : `for ${holder.seconds} s`,
  ].filter((fact) => fact !== '');
  return `process ${holder.pid} (${facts.join(', ')})`;
}

/** A step as one line for a person. */
export function describeStep(step: MigrationStep): string {
  switch (step.type) {
    case 'waiting':
      return step.for === 'migrator'
        ? `waiting for another migrator: ${step.holders.map(describeHolder).join(', ')}`
        : `${step.name}: waiting for a lock of ${step.holders.map(describeHolder).join(', ')}`;
    case 'roles':
      return `made the roles ${step.made.join(', ')}`;
    case 'started':
      return `${step.name} ${step.direction} …`;
    case 'retrying':
      return `${step.name}: trying again (${step.attempt}) for the lock`;
    case 'dropped_invalid_index':
      return `${step.name}: removed ${step.index}, left INVALID by an interrupted build`;
    case 'done':
      return `${step.name} ${step.direction}: ${Math.round(step.duration)} ms`;
  }
}
