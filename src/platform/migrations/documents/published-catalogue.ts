import type { Connection } from '../../database/connection.js';
import { catalogue, OUR_SCHEMAS } from '../catalogue.js';
import type { Catalogue, Grant } from '../catalogue-types.js';

/** Of our schemas, without what depends on the day (partitions) or on the server's version. */
export async function publishedCatalogue(connection: Connection): Promise<Catalogue> {
  const all = await catalogue(connection, { schemas: OUR_SCHEMAS });
  const partitions = new Set(
    all.relations.filter(({ parent }) => parent !== null).map(({ schema, name }) => `${schema}.${name}`),
  );
  const kept = <T extends { schema: string; table: string }>(list: readonly T[]) =>
    list.filter(({ schema, table }) => !partitions.has(`${schema}.${table}`));
  return {
    ...all,
    relations: all.relations.filter(({ schema, name }) => !partitions.has(`${schema}.${name}`)),
    constraints: kept(all.constraints),
    indexes: kept(all.indexes),
    policies: kept(all.policies),
    triggers: kept(all.triggers),
  };
}

/**
 * `` `authenticated`: SELECT, INSERT ``, one a grantee. Without the owner's own, and without what everybody has
 * anyway: Supabase grants USAGE on `public` once more to its roles.
 */
export function grantsInWords(grants: readonly Grant[]): string[] {
  const everybody = grants.find(({ grantee }) => grantee === 'public')?.privileges ?? [];
  return grants
    .filter(({ grantee }) => grantee !== 'owner')
    .map(({ grantee, privileges }) => ({
      grantee,
      privileges: privileges.filter(
        (privilege) =>
          // PostgreSQL 17 added it, so GRANT ALL means something else there.
          !privilege.startsWith('MAINTAIN') && (grantee === 'public' || !everybody.includes(privilege)),
      ),
    }))
    .filter(({ privileges }) => privileges.length > 0)
    .map(({ grantee, privileges }) => `\`${grantee}\`: ${privileges.join(', ')}`);
}
