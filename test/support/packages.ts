import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Evidence } from '../../src/evidence/index.js';
import { openSession, type Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import {
  type CreatedExport,
  createExport,
  type EncryptTo,
  exportableRequest,
  openRequest,
  planOpening,
  planStep,
  takeStep,
} from '../../src/privacy/index.js';
import { OpenZip } from './zip-file.js';

/** A session of compliance with a grant for one person, or for a family, for the work. */
export async function asCompliance<T>(
  operator: ConnectionTarget,
  of: string | { readonly family: string },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(operator, {
    duty: 'compliance',
    reason: 'answering an access request',
    ticket: 'DSR-1',
  });
  try {
    await session.query(
      `select ops.open_access('read', 'answering an access request', 'DSR-1', 60, $1, $2)`,
      typeof of === 'string' ? [null, of] : [of.family, null],
    );
    return await work(session);
  } finally {
    await session.close();
  }
}

/** A request of a person for their data, open; verified or not. */
export async function openRequestOf(
  session: Session,
  person: string,
  {
    kind = 'access',
    verified = true,
  }: { readonly kind?: 'access' | 'portability' | 'deletion'; readonly verified?: boolean } = {},
): Promise<string> {
  const opening = await planOpening(session, {
    ...{ regime: 'pipeda', kind, asks: 'all you hold about me', channel: 'email', requester: 'self' },
    ...{ subject: { kind: 'user', id: person }, zone: 'America/Toronto', language: 'en' },
    received: () => new Date(),
  });
  const { number } = await openRequest(session, opening);
  if (verified) {
    const wish = { verb: 'verify-identity', method: 'signed_in', passed: true } as const;
    await takeStep(session, await planStep(session, number, () => wish));
  }
  return number;
}

/** A request of somebody for the data of a child, open; verified as a guardian of record, or not. */
export async function openRequestForChild(
  session: Session,
  child: { readonly family: string; readonly id: string },
  guardian: string,
  { kind = 'access', verified = true }: { kind?: 'access' | 'portability'; verified?: boolean } = {},
): Promise<string> {
  const opening = await planOpening(session, {
    ...{ regime: 'pipeda', kind, asks: 'all you hold about my child', channel: 'email' },
    ...{ requester: 'guardian', requester_user: guardian, language: 'en' },
    subject: { kind: 'child', ...child },
    received: () => new Date(),
  });
  const { number } = await openRequest(session, opening);
  if (verified) {
    const seen = { verb: 'verify-identity', method: 'signed_in', authority: 'guardian_of_record' } as const;
    await takeStep(session, await planStep(session, number, () => ({ ...seen, passed: true })));
  }
  return number;
}

/** Makes the package of a person as a file, for a request of its own. */
export async function writeExport(
  session: Session,
  evidence: Evidence,
  person: string,
  file: string,
  kind: 'access' | 'portability' = 'access',
  encryptTo?: EncryptTo,
): Promise<CreatedExport> {
  const number = await openRequestOf(session, person, { kind });
  return await answerRequest(session, evidence, number, file, encryptTo);
}

/** Makes the package that answers a request as a file. */
export async function answerRequest(
  session: Session,
  evidence: Evidence,
  number: string,
  file: string,
  encryptTo?: EncryptTo,
): Promise<CreatedExport> {
  const request = await exportableRequest(session, number);
  const sink = createWriteStream(file, { mode: 0o600 });
  const created = await createExport(session, evidence, { request, residency: [], encryptTo }, sink);
  sink.end();
  await finished(sink);
  return created;
}

/** The files of a ZIP file, by path, as text. */
export async function unzip(file: string): Promise<Map<string, string>> {
  const zip = await OpenZip.open(file);
  const files = new Map<string, string>();
  for (const path of zip.entries.keys()) files.set(path, await zip.text(path));
  zip.close();
  return files;
}
