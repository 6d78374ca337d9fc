import { mkdtempSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { passwordFromFile } from '../../src/platform/database/passfile.js';
import { newPassword, readPasswords, writePasswords } from '../../src/platform/local/pgpass.js';
import { matchesVerifier, scramVerifier } from '../../src/platform/local/scram.js';

test('passwords come back as they were written, also to who reads pgpass files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nestctl-pgpass-'));
  try {
    const file = join(folder, 'pgpass');
    expect(await readPasswords(file)).toEqual(new Map());
    const passwords = new Map(['postgres', 'camille.roy'].map((login) => [login, newPassword()]));
    await writePasswords(file, 20_000, passwords);
    expect(await readPasswords(file)).toEqual(passwords);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['pgpass']);
    const target = { host: '127.0.0.1', port: 20_000, database: 'any', user: 'camille.roy' };
    expect(await passwordFromFile(file, target)).toBe(passwords.get('camille.roy'));
    expect(await passwordFromFile(file, { ...target, port: 20_001 })).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a SCRAM verifier fits its password only', () => {
  const verifier = scramVerifier('pencil');
  expect(matchesVerifier(verifier, 'pencil')).toBe(true);
  expect(matchesVerifier(verifier, 'pencils')).toBe(false);
  expect(matchesVerifier('md5acbd18db4cc2f85cedef654fccc4a4d8', 'pencil')).toBe(false);
  // The example of RFC 7677 §3: user "user", password "pencil".
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});
