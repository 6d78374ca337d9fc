import type { MembershipFacts, ScopeFacts } from '../explain/membership.js';

type Lists = Pick<
  NonNullable<MembershipFacts['membership']>,
  'role' | 'granted_permissions' | 'denied_permissions'
>;
const WRITES = ['insert', 'update', 'delete'];

/** A permission, and the row scopes that will do. */
export interface Wanted {
  readonly permission: string;
  readonly scopes: readonly string[];
}

/**
 * A member's two lists of permissions as they would be if just these were permitted: a denial of several is split, so
 * that the others stay denied, and what the role itself gives is not granted once more.
 */
export function permitting(
  { granted_permissions, denied_permissions }: Lists,
  scopes: Readonly<Record<string, ScopeFacts>> | undefined,
  wanted: readonly Wanted[],
): { readonly granted: readonly string[]; readonly denied: readonly string[] } {
  const permissions = wanted.map(({ permission }) => permission);
  const denied = denied_permissions.flatMap((name) => without(name, permissions));
  const lacking = wanted.flatMap(({ permission, scopes: enough }) => {
    const known = scopes?.[permission];
    return known?.granted === true || enough.includes(known?.of_role ?? '') ? [] : [permission];
  });
  return {
    granted: [...new Set([...granted_permissions, ...lacking])],
    denied: [...new Set(denied)],
  };
}

/** What is left of one name in a list once some permissions are taken out of it. */
function without(name: string, permissions: readonly string[]): string[] {
  if (permissions.includes(name)) return [];
  const [resource, action] = name.split(':');
  const ofIt = WRITES.map((write) => `${resource}:${write}`);
  if (action !== 'write' || !ofIt.some((one) => permissions.includes(one))) return [name];
  return ofIt.filter((one) => !permissions.includes(one));
}
