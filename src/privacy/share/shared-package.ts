import sql, { join, type Sql } from 'sql-template-tag';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { EncryptedPackage } from '../export/sign-encrypted.js';
import { readRequest } from '../requests/request.js';

export type ShareState = 'begun' | 'shared' | 'expired' | 'revoked';

/** What became of a package in the object store. */
export interface Share {
  readonly id: string;
  /** begun: sent, or on its way, and no link was told; expired: the link is over, and the object still there. */
  readonly state: ShareState;
  readonly object_sha256: string;
  readonly region: string;
  readonly begun_at: string;
  readonly begun_by: string;
  readonly link_expires_at: string | null;
  readonly revoked_at: string | null;
  /** Signed records, chain/number. */
  readonly evidence: readonly string[];
}

/** A package that was made, and where it was shared, the latest first. */
export interface SharedPackage {
  readonly id: string;
  readonly request: string;
  /** The id of the account, or of the child. */
  readonly person: string;
  readonly made_at: Date;
  readonly made_by: string;
  readonly package_sha256: string;
  /** Of the file but its signature. */
  readonly bytes: number;
  readonly evidence: string;
  /** The file that it was handed out as, where that is encrypted. */
  readonly encrypted: EncryptedPackage | null;
  readonly shares: readonly Share[];
}

export interface PackageFilter {
  /** A request by its number, or a package by its id. */
  readonly of?: string | undefined;
  readonly user?: string | undefined;
}

/** The packages that the session may see, the latest first. */
export async function listPackages(
  session: Session,
  { of, user }: PackageFilter = {},
): Promise<SharedPackage[]> {
  const conditions: Sql[] = [sql`true`];
  if (of !== undefined) conditions.push(isRequest(of) ? sql`e.request = ${of}` : sql`e.id = ${of}::uuid`);
  if (user !== undefined) conditions.push(sql`${user}::uuid in (e.user_id, e.child_id)`);
  return await session.query<SharedPackage>(sql`
    select e.id, e.request, coalesce(e.user_id, e.child_id) as person, e.made_at, e.made_by, e.package_sha256, e.bytes::float8 as bytes, e.evidence,
      case when e.encryption is not null then jsonb_build_object('encryption', e.encryption, 'recipients', e.recipients, 'sha256', e.file_sha256,
        'bytes', e.file_bytes, 'evidence', e.file_evidence) end as encrypted,
      (select coalesce(jsonb_agg(to_jsonb(s) order by s.begun_at desc), '[]') from (
        select b.share_id as id, b.object_sha256, b.region, b.made_at as begun_at, b.made_by as begun_by,
          d.link_expires_at, r.made_at as revoked_at, array_remove(array[d.evidence, r.evidence], null) as evidence,
          case when r.id is not null then 'revoked' when d.id is null then 'begun'
            when d.link_expires_at <= clock_timestamp() then 'expired' else 'shared' end as state
        from privacy.export_shares b
          left join privacy.export_shares d on d.share_id = b.share_id and d.step = 'shared'
          left join privacy.export_shares r on r.share_id = b.share_id and r.step = 'revoked'
        where b.export_id = e.id and b.step = 'begun') s) as shares
    from privacy.exports e where ${join(conditions, ' and ')} order by e.made_at desc, e.id`);
}

/** What a grant has to cover before packages of a request, or a package, may be seen. Throws `not_found`. */
export async function scopeOf(
  session: Session,
  of: string,
): Promise<{ kind: 'family' | 'user'; id: string }> {
  const number = isRequest(of) ? of : await requestOf(session, of);
  const { user_id: user } = await readRequest(session, number);
  if (user !== null) return { kind: 'user', id: user };
  const { family } = await session.one<{ family: string | null }>(
    sql`select privacy.request_family(${number}) as family`,
  );
  if (family !== null) return { kind: 'family', id: family };
  throw noPackage(of);
}

async function requestOf(session: Session, id: string): Promise<string> {
  const { number } = await session.one<{ number: string | null }>(
    sql`select privacy.export_request(${id}::uuid) as number`,
  );
  if (number === null) throw noPackage(id);
  return number;
}

/** Throws `not_found`. */
export async function packagesOf(session: Session, of: string): Promise<SharedPackage[]> {
  const found = await listPackages(session, { of });
  if (found.length === 0) throw noPackage(of);
  return found;
}

/** Of a package, the one share that is not revoked. */
export function liveShare({ shares }: SharedPackage): Share | undefined {
  return shares.find(({ state }) => state !== 'revoked');
}

const isRequest = (of: string) => of.startsWith('REQ-');

function noPackage(of: string): NestctlError {
  return new NestctlError(isRequest(of) ? `No package was made for ${of}.` : `There is no package ${of}.`, {
    kind: 'not_found',
    next: 'nestctl export create --help',
  });
}
