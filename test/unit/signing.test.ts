import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type NamedKey,
  parseEnvelope,
  preAuthEncoding,
  serializeEnvelope,
  signEnvelope,
  signersOf,
} from '../../src/platform/signing/dsse.js';
import { namedKeys, parseKeySet, publishedKey, thumbprint } from '../../src/platform/signing/key-set.js';
import {
  createLedgerKeys,
  ledgerMac,
  loadLedgerKeys,
  rotateLedgerKeys,
} from '../../src/platform/signing/ledger-keys.js';
import { createPrivateFile, readPrivateFile } from '../../src/platform/signing/private-file.js';
import { generateSigningKey, loadSigningKey, signingKeyPem } from '../../src/platform/signing/signing-key.js';
import { temporaryFolder } from '../support/evidence.js';

/** RFC 8032, 7.1, tests 1 and 2. */
const SEEDS = {
  A: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  B: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
};
const PUBLIC = {
  A: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  B: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
};
const x = (name: 'A' | 'B') => Buffer.from(PUBLIC[name], 'hex').toString('base64url');
const privateKey = (name: 'A' | 'B'): KeyObject =>
  createPrivateKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: x(name), d: Buffer.from(SEEDS[name], 'hex').toString('base64url') },
  });
const trusted = (...names: ('A' | 'B')[]): NamedKey[] =>
  names.map((kid) => ({ kid, key: createPublicKey(privateKey(kid)) }));

const IN_TOTO = 'application/vnd.in-toto+json';
const STATEMENT = 'eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEifQ==';
const SIG_A = '2WAfaHm5jluo0w+0rk8uVkluELJYWjSmU9x7EUzx+AyteDGJ4/nqyJXfmAUVFIAoQafWm7AxBZNw5M9ixNHiCA==';
const SIG_B = 'c1+67/aT0yqEpwx8PsVY3MLHsj9D0CZ014/Fv/QlG59P+9CobUZ7xECJ/V3USG0Ob9CiE5LjReEZUzNF2l7eBw==';

/** Envelopes of the specification's published vectors, and who signed them. */
const VECTORS: [
  name: string,
  type: string,
  payload: string,
  sigs: [string | undefined, string][],
  signers: string[],
][] = [
  ['one signature', IN_TOTO, STATEMENT, [['A', SIG_A]], ['A']],
  [
    'URL-safe base64',
    IN_TOTO,
    '-_-_Pj8=',
    [['A', 'P-_KHICeR7tI6S_YyejJTRtrXhcQyQ2LYPaL8h90KjC9qN8HU_svOQ6TuDOT1HIrsGW886DbWNWcCmX5twLrAw==']],
    ['A'],
  ],
  ['another type than was signed', 'application/vnd.example.other+json', STATEMENT, [['A', SIG_A]], []],
  [
    'a type of more bytes than characters',
    'application/vnd.exämple+json',
    STATEMENT,
    [['A', 'xmSk/ug66ysT7ayhkCIjhAq42zgZXSsEWuzUaNL7w2eGAdF/NU6/fRXPtmfN+5DNSAs5/i2lUnHjbbjPsu0tAw==']],
    ['A'],
  ],
  [
    'an empty payload',
    IN_TOTO,
    '',
    [['A', 'gSggCAaTLTYyRH6FIDBem6meyIynsYy8RTHVzwx9tnTb7Bg/1jMWnuVgI/gffqmbsC2VX5/jHfkkDqsj7CDbDg==']],
    ['A'],
  ],
  [
    'two signers',
    IN_TOTO,
    STATEMENT,
    [
      ['A', SIG_A],
      ['B', SIG_B],
    ],
    ['A', 'B'],
  ],
  [
    'one signer twice',
    IN_TOTO,
    STATEMENT,
    [
      ['A', SIG_A],
      ['A', SIG_A],
    ],
    ['A'],
  ],
  [
    'no hints',
    IN_TOTO,
    STATEMENT,
    [
      [undefined, SIG_A],
      [undefined, SIG_B],
    ],
    ['A', 'B'],
  ],
  ['a hint that lies', IN_TOTO, STATEMENT, [['B', SIG_A]], ['A']],
];

describe('DSSE', () => {
  it('encodes type and body as the protocol’s example', () => {
    expect(preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  it.each(VECTORS)('knows the signers of %s', (_, payloadType, payload, sigs, signers) => {
    const text = JSON.stringify({
      payload,
      payloadType,
      signatures: sigs.map(([keyid, sig]) => ({ keyid, sig })),
    });
    const envelope = parseEnvelope(text);
    expect(envelope).toBeDefined();
    if (envelope !== undefined) expect(signersOf(envelope, trusted('A', 'B'))).toEqual(signers);
  });

  it('makes the signature of the published vector', () => {
    const payload = Buffer.from(STATEMENT, 'base64');
    const envelope = signEnvelope(IN_TOTO, payload, { kid: 'A', key: privateKey('A') });
    expect(JSON.parse(serializeEnvelope(envelope))).toEqual({
      payload: STATEMENT,
      payloadType: IN_TOTO,
      signatures: [{ keyid: 'A', sig: SIG_A }],
    });
  });

  it.each([
    'no JSON',
    '[]',
    '{"payload":"","payloadType":"t"}',
    '{"payload":"a b","payloadType":"t","signatures":[]}',
    '{"payload":"","payloadType":"t","signatures":[{"sig":"*"}]}',
  ])('takes for no envelope: %s', (text) => {
    expect(parseEnvelope(text)).toBeUndefined();
  });
});

describe('a key set', () => {
  const published = () => publishedKey(privateKey('A'), new Date(0));

  it('names keys by the thumbprint of RFC 8037, A.3', () => {
    expect(thumbprint(x('A'))).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('is read back as it was written', () => {
    const set = { keys: [published()] };
    expect(parseKeySet(JSON.stringify(set), 'f')).toEqual(set);
    expect(namedKeys(set)[0]?.key.equals(createPublicKey(privateKey('A')))).toBe(true);
  });

  it.each([
    ['another name', { kid: thumbprint(x('B')) }, /thumbprint/],
    ['a private key', { d: 'AA' }, /private/],
    ['a time in words', { retired_at: 'yesterday' }, /retired_at/],
    ['no start', { valid_from: undefined }, /valid_from/],
    ['a short key', { x: 'AAAA' }, /32 bytes/],
    [
      'a head of another chain name',
      { heads: { test: { '../x': { size: 1, hash: '0'.repeat(64) } } } },
      /heads/,
    ],
  ])('with %s is refused whole', (_, change, message) => {
    expect(() => parseKeySet(JSON.stringify({ keys: [{ ...published(), ...change }] }), 'f')).toThrow(
      message,
    );
  });

  it('with a key twice is refused', () => {
    expect(() => parseKeySet(JSON.stringify({ keys: [published(), published()] }), 'f')).toThrow(/twice/);
  });
});

describe('a private key', () => {
  it('is loaded from a file of mode 0600 and from no other', async () => {
    const file = join(temporaryFolder(), 'key.pem');
    const key = generateSigningKey();
    await createPrivateFile(file, signingKeyPem(key));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await loadSigningKey({ file }))?.kid).toBe(key.kid);
    for (const mode of [0o640, 0o604, 0o620, 0o666]) {
      await chmod(file, mode);
      await expect(loadSigningKey({ file })).rejects.toMatchObject({ code: 'key_open', exitCode: 4 });
    }
  });

  it('is never overwritten, and leaves no draft', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'key.pem');
    await createPrivateFile(file, 'first');
    await expect(createPrivateFile(file, 'second')).rejects.toMatchObject({
      code: 'key_exists',
      exitCode: 6,
    });
    expect(await readPrivateFile(file)).toBe('first');
    expect(await readdir(folder)).toEqual(['key.pem']);
  });

  it('is loaded from what a command prints', async () => {
    const file = join(temporaryFolder(), 'key.pem');
    const key = generateSigningKey();
    await createPrivateFile(file, signingKeyPem(key));
    expect((await loadSigningKey({ command: ['cat', file] }))?.kid).toBe(key.kid);
  });

  it('that is none is refused without a word of it', async () => {
    const file = join(temporaryFolder(), 'key.pem');
    const secret = 'c2VjcmV0LXRoYXQtbXVzdC1ub3QtYmUtc2VlbjEyMzQ1';
    await writeFile(file, `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`, {
      mode: 0o600,
    });
    for (const source of [
      { file },
      { command: ['cat', file] },
      { command: ['sh', '-c', `cat ${file} >&2; false`] },
    ]) {
      const error: Error = await loadSigningKey(source).then(
        () => Promise.reject(new Error('it was taken')),
        (refusal: Error) => refusal,
      );
      expect(error).toMatchObject({ exitCode: 1 });
      expect(`${error.stack}${error.cause}${JSON.stringify(error)}`).not.toContain(secret);
    }
  });
});

describe('ledger keys', () => {
  it('are kept when the next one is made: old entries stay recognisable', async () => {
    const path = join(temporaryFolder(), 'ledger.json');
    const [first] = await createLedgerKeys(path);
    const entry = ledgerMac(first, 'erasure', 'a@example.ca');
    const keys = await rotateLedgerKeys(path);
    expect(keys).toHaveLength(2);
    const loaded = await loadLedgerKeys(path);
    expect(loaded.map((key) => ledgerMac(key, 'erasure', 'a@example.ca'))[0]).toBe(entry);
    expect(ledgerMac(keys[1] ?? first, 'erasure', 'a@example.ca')).not.toBe(entry);
    await expect(createLedgerKeys(path)).rejects.toMatchObject({ code: 'key_exists' });
  });

  it('keep purposes and texts apart', async () => {
    const [key] = await createLedgerKeys(join(temporaryFolder(), 'ledger.json'));
    const macs = [ledgerMac(key, 'ab', 'c'), ledgerMac(key, 'a', 'bc'), ledgerMac(key, 'abc', '')];
    expect(new Set(macs).size).toBe(3);
  });

  it('that were altered are refused', async () => {
    const path = join(temporaryFolder(), 'ledger.json');
    await createLedgerKeys(path);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/"k": "../, '"k": "AA'));
    await expect(loadLedgerKeys(path)).rejects.toMatchObject({ code: 'key_invalid' });
  });
});
