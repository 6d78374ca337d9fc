import sql from 'sql-template-tag';
import { NestctlError } from '../../../platform/errors.js';
import { call, type Service } from '../../../platform/http/index.js';
import type { OutsideAdapter } from './adapter.js';

/** Supabase takes up to 1,000 names a call; one of a few hundred stays well within what its gateway lets through. */
const FILES = 200;

/**
 * Supabase Storage: deletes the files that the person owns, a bucket after another, until its tables name none. By its API alone:
 * deleting the rows would leave the files, and it refuses that.
 */
export const supabaseStorage =
  (service: Service): OutsideAdapter =>
  async ({ session, number, signal }) => {
    let deleted = 0;
    for (let before = ''; ; ) {
      const files = await session.query<{ bucket: string; name: string }>(
        sql`select bucket, name from privacy.erasure_files(${number}, ${FILES}::integer)`,
      );
      if (files.length === 0) break;
      const now = JSON.stringify(files);
      // It said that it had, and they are still there.
      if (now === before) throw left(service);
      before = now;
      for (const bucket of new Set(files.map((file) => file.bucket))) {
        const prefixes = files.filter((file) => file.bucket === bucket).map(({ name }) => name);
        const path = `/storage/v1/object/${encodeURIComponent(bucket)}`;
        const { body } = await call(service, { method: 'DELETE', path, body: { prefixes }, signal });
        deleted += Array.isArray(body) ? body.length : 0;
      }
    }
    return deleted === 0
      ? { outcome: 'not_held', reference: 'no files any more' }
      : { outcome: 'erased', reference: `${deleted} ${deleted === 1 ? 'file' : 'files'}` };
  };

const left = ({ name }: Service) =>
  new NestctlError(`${name} was asked to delete their files, and they are still there.`, {
    kind: 'partial',
    code: 'outside_left',
    hint: 'The key may lack the right: it has to be the service role’s.',
    next: 'nestctl context show',
  });
