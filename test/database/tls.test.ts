import { execFileSync } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/platform/database/connection.js';
import type { ConnectionTarget, SslMode } from '../../src/platform/database/target.js';
import { targetOn } from '../support/database.js';
import { type OwnServer, startTestServer } from '../support/server.js';

let server: OwnServer;
let authority: string;

beforeAll(async () => {
  server = await startTestServer();
  authority = join(server.data, 'server.crt');
  const key = join(server.data, 'server.key');
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', authority],
    ],
    { stdio: 'ignore' },
  );
  const { uid, gid } = await stat(server.data);
  await chown(key, uid, gid);
  const superuser = await connect(targetOn(server, server.superuser, 'postgres'));
  await superuser.query('alter system set ssl = on');
  await superuser.query('select pg_reload_conf()');
  await superuser.close();
});
afterAll(() => server.stop());

const target = (host: string, sslmode: SslMode, sslrootcert?: string): ConnectionTarget => ({
  ...targetOn(server, server.superuser, 'postgres'),
  host,
  sslmode,
  sslrootcert,
});

async function encrypted(to: ConnectionTarget): Promise<boolean | undefined> {
  const connection = await connect(to);
  const [row] = await connection.query<{ ssl: boolean }>(
    'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
  );
  await connection.close();
  return row?.ssl;
}

describe('TLS', () => {
  it.each([
    ['verify-full of the right name and authority', 'localhost', 'verify-full', true],
    ['verify-ca of another name', '127.0.0.1', 'verify-ca', true],
  ] as const)('%s is encrypted', async (_, host, mode, expected) => {
    expect(await encrypted(target(host, mode, authority))).toBe(expected);
  });

  it('require is encrypted though nothing is verified', async () => {
    expect(await encrypted(target('127.0.0.1', 'require'))).toBe(true);
  });

  it.each([
    ['an authority nobody trusts', 'localhost', 'verify-full', undefined, /not signed by an authority/],
    ['the same for verify-ca', 'localhost', 'verify-ca', undefined, /not signed by an authority/],
  ] as const)('%s is refused', async (_, host, mode, root, message) => {
    await expect(connect(target(host, mode, root))).rejects.toMatchObject({
      code: 'tls_unverified',
      message: expect.stringMatching(message),
    });
  });

  it('a certificate of another name is refused by verify-full', async () => {
    await expect(connect(target('127.0.0.1', 'verify-full', authority))).rejects.toMatchObject({
      code: 'tls_unverified',
      message: expect.stringMatching(/another host name/),
    });
  });

  it('clear text over a network is refused before anything is sent', async () => {
    await expect(connect(target('db.example.ca', 'disable'))).rejects.toMatchObject({
      code: 'tls_disabled',
      exitCode: 2,
    });
  });

  it('an authority file that is not there is named', async () => {
    await expect(connect(target('localhost', 'verify-full', '/nonexistent.pem'))).rejects.toMatchObject({
      code: 'tls_authority_missing',
    });
  });

  it('an authority file that holds no certificate is told from one nobody trusts', async () => {
    const notes = join(server.data, 'PG_VERSION');
    await expect(connect(target('localhost', 'verify-full', notes))).rejects.toMatchObject({
      code: 'tls_authority_invalid',
      kind: 'failure',
    });
  });

  it('names the command that shows what is wrong in the context', async () => {
    const named = {
      ...target('localhost', 'verify-full'),
      context: { name: 'prod', kind: 'server' as const },
    };
    await expect(connect(named)).rejects.toMatchObject({
      code: 'tls_unverified',
      next: 'nestctl context show prod',
    });
  });
});
