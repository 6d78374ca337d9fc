import { NestctlError } from '../platform/errors.js';
import type { Grant, GrantKind } from './grant.js';

/** What somebody wants to read. */
export type Scope =
  | { readonly kind: 'family'; readonly id: string }
  | { readonly kind: 'user'; readonly id: string }
  /** Acting as a person. */
  | { readonly kind: 'impersonation'; readonly id: string }
  | { readonly kind: 'directory' }
  | { readonly kind: 'everything' };

export const GRANT_KIND: Readonly<Record<Scope['kind'], GrantKind>> = {
  family: 'read',
  user: 'read',
  impersonation: 'impersonation',
  directory: 'directory',
  everything: 'break_glass',
};

/** The command that opens a scope. */
function opening(scope: Scope): string {
  const why = "--reason '…' --ticket …";
  switch (scope.kind) {
    case 'family':
      return `nestctl access open --family ${scope.id} ${why} --for 30m`;
    case 'user':
      return `nestctl access open --user ${scope.id} ${why} --for 30m`;
    case 'impersonation':
      return `nestctl access impersonate --user ${scope.id} ${why} -- 'select …'`;
    case 'directory':
      return `nestctl access open --directory ${why} --for 30m`;
    case 'everything':
      return `nestctl access open --break-glass ${why} --for 30m`;
  }
}

/** The scope that the flags of a command name. Throws `needs_input` where they name none. */
export function scopeOf(flags: {
  readonly family?: string | undefined;
  readonly user?: string | undefined;
  readonly directory?: boolean;
  readonly 'break-glass'?: boolean;
}): Scope {
  if (flags.family !== undefined) return { kind: 'family', id: flags.family };
  if (flags.user !== undefined) return { kind: 'user', id: flags.user };
  if (flags.directory === true) return { kind: 'directory' };
  if (flags['break-glass'] === true) return { kind: 'everything' };
  throw new NestctlError('Open access to what? One of --family, --user, --directory and --break-glass.', {
    kind: 'needs_input',
    code: 'scope_missing',
    next: 'nestctl access open --help',
  });
}

/** Whether a live grant opens a scope by itself; a person's grant also opens families, which only the database knows. */
export function covers(grant: Grant, scope: Scope): boolean {
  if (grant.kind === 'break_glass') return scope.kind !== 'directory' && scope.kind !== 'impersonation';
  if (grant.kind !== GRANT_KIND[scope.kind]) return false;
  if (scope.kind === 'family') return grant.family_id === scope.id;
  if (scope.kind === 'user' || scope.kind === 'impersonation') return grant.user_id === scope.id;
  return true;
}

/**
 * The error of somebody who has no grant, with the command that would open one; or with the duty to take, where
 * `elsewhere` is a grant of theirs under another one.
 */
export function noGrant(scope: Scope, elsewhere?: Grant): NestctlError {
  return new NestctlError('No live access grant of yours covers this.', {
    kind: 'not_allowed',
    code: 'no_grant',
    ...(elsewhere === undefined
      ? {
          hint: 'Say why and for which ticket, here with --reason and --ticket, or for several commands:',
          next: opening(scope),
        }
      : {
          hint: `One does under another duty: add --duty ${elsewhere.duty}.`,
          next: 'nestctl access list',
        }),
  });
}
