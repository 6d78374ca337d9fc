import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { encryptionOf } from '../../src/platform/age-head.js';
import { encryptInto } from '../../src/privacy/encryption/encrypt-into.js';
import { type EncryptTo, openEncrypter } from '../../src/privacy/encryption/encryption.js';
import { DamagedFile, readEncrypted } from '../../src/privacy/encryption/read-encrypted.js';

const CHUNK = 64 * 1024;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let identity: string;
let recipient: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestctl-age-'));
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

async function encrypt(plain: Buffer, to: EncryptTo, piece = 10_000) {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk);
      done();
    },
  });
  const pieces = Array.from({ length: Math.ceil(plain.length / piece) }, (_, at) =>
    plain.subarray(at * piece, (at + 1) * piece),
  );
  const { encrypted } = await encryptInto(to, sink, (into) =>
    pipeline(Readable.from(pieces), into, { end: false }),
  );
  return { bytes: Buffer.concat(chunks), encrypted };
}

function kept(bytes: Buffer): string {
  files += 1;
  const path = join(folder, `${files}.age`);
  writeFileSync(path, bytes);
  return path;
}

/** All of it; `closed` where it is not opened, `damaged` where that is found out at any point. */
async function decrypt(
  path: string,
  opening: Parameters<typeof readEncrypted>[1] = { identities: [identity] },
) {
  try {
    const bytes = await readEncrypted(path, opening);
    if (bytes === undefined) return 'closed';
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof DamagedFile) return 'damaged';
    throw error;
  }
}

describe('what is encrypted', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1_000_003])(
    'comes back byte for byte and is told as it is, of %i bytes',
    async (size) => {
      const plain = randomBytes(size);
      const { bytes, encrypted } = await encrypt(plain, { recipients: [recipient] });
      expect(encrypted).toEqual({
        plain_sha256: sha256(plain),
        sha256: sha256(bytes),
        bytes: bytes.length,
      });
      const path = kept(bytes);
      expect(await encryptionOf(path)).toBe('keys');
      expect((await decrypt(path)) as Buffer).toEqual(plain);
    },
  );

  it('is opened by each of its keys, with and without post-quantum protection, and by no other', async () => {
    const others = [await generateX25519Identity(), await generateX25519Identity()];
    const recipients = await Promise.all([identity, ...others].map(identityToRecipient));
    const { bytes } = await encrypt(Buffer.from('hers'), { recipients });
    const path = kept(bytes);
    for (const one of [identity, ...others])
      expect(String(await decrypt(path, { identities: [await generateX25519Identity(), one] }))).toBe('hers');
    expect(await decrypt(path, { identities: [await generateX25519Identity()] })).toBe('closed');

    const hybrid = await generateHybridIdentity();
    const to = { recipients: [await identityToRecipient(hybrid)] };
    const strong = kept((await encrypt(Buffer.from('hers'), to)).bytes);
    expect(String(await decrypt(strong, { identities: [hybrid] }))).toBe('hers');
    expect(await decrypt(strong)).toBe('closed');
  });

  it('is opened by its passphrase and by no other', async () => {
    const passphrase = 'berceau lune érable 42';
    const path = kept((await encrypt(Buffer.from('hers'), { passphrase })).bytes);
    expect(await encryptionOf(path)).toBe('passphrase');
    expect(String(await decrypt(path, { passphrase }))).toBe('hers');
    expect(await decrypt(path, { passphrase: `${passphrase} ` })).toBe('closed');
  });
});

describe('an encrypted file that was changed', () => {
  it('is found out: any byte of its head, and of its chunks at their borders and within', async () => {
    const plain = randomBytes(3 * CHUNK + 500);
    const { bytes } = await encrypt(plain, { recipients: [recipient] });
    const payload = bytes.indexOf('\n', bytes.indexOf('\n---') + 1) + 1;
    const sealed = CHUNK + 16;
    const first = payload + 16;
    const places = [
      ...Array.from({ length: first }, (_, at) => at),
      ...[0, 1, 2, 3].flatMap((chunk) => [first + chunk * sealed, first + chunk * sealed + 300]),
      ...[1, 2, 3].map((chunk) => first + chunk * sealed - 1),
      ...[bytes.length - 17, bytes.length - 16, bytes.length - 1],
    ];
    const found: Record<string, number> = {};
    for (const at of places) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      const path = kept(changed);
      const seen = (await encryptionOf(path)) ?? 'no file of age';
      const came = seen === 'keys' ? await decrypt(path) : seen;
      expect(came, `byte ${at}`).toBeTypeOf('string');
      found[came as string] = (found[came as string] ?? 0) + 1;
    }
    expect(found).toMatchObject({ damaged: expect.any(Number), 'no file of age': expect.any(Number) });
    expect(Object.values(found).reduce((sum, times) => sum + times, 0)).toBe(places.length);
  });

  it('is found out: cut at any border, grown, or with chunks in another order', async () => {
    const { bytes } = await encrypt(randomBytes(3 * CHUNK), { recipients: [recipient] });
    const first = bytes.length - 3 * (CHUNK + 16);
    const chunk = (at: number) => bytes.subarray(first + at * (CHUNK + 16), first + (at + 1) * (CHUNK + 16));
    const head = bytes.subarray(0, first);
    const changed: Record<string, Buffer> = {
      'cut behind the head': head,
      'cut within the nonce': bytes.subarray(0, first - 3),
      'cut behind the first chunk': bytes.subarray(0, first + CHUNK + 16),
      'cut behind the second chunk': bytes.subarray(0, first + 2 * (CHUNK + 16)),
      'cut by a byte': bytes.subarray(0, -1),
      'a byte more': Buffer.concat([bytes, Buffer.from('x')]),
      'the last chunk twice': Buffer.concat([bytes, chunk(2)]),
      'two chunks exchanged': Buffer.concat([head, chunk(1), chunk(0), chunk(2)]),
      'without the middle': Buffer.concat([head, chunk(0), chunk(2)]),
    };
    expect((await decrypt(kept(Buffer.concat([head, chunk(0), chunk(1), chunk(2)])))) as Buffer).toHaveLength(
      3 * CHUNK,
    );
    for (const [how, one] of Object.entries(changed)) expect(await decrypt(kept(one)), how).toBe('damaged');
  });

  it('is no reason to read all of it, where its head has no end', async () => {
    expect(await encryptionOf(kept(Buffer.from(`age-encryption.org/v1\n${'x'.repeat(200_000)}`)))).toBe(
      'damaged',
    );
    expect(await encryptionOf(kept(Buffer.from('PK\x03\x04')))).toBeUndefined();
    expect(await encryptionOf(kept(Buffer.alloc(0)))).toBeUndefined();
  });
});

describe('an encryption that fails', () => {
  it('says why, whichever end it was, and leaves nothing waiting', async () => {
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    let written = 0;
    const sink = new Writable({
      write: (chunk: Buffer, _, done) => {
        written += chunk.length;
        done(written > 300_000 ? full : null);
      },
    });
    sink.on('error', () => undefined);
    const endless = async (into: Writable) => {
      async function* source() {
        for (;;) yield randomBytes(CHUNK);
      }
      await pipeline(Readable.from(source(), { objectMode: false }), new PassThrough(), into, { end: false });
    };
    await expect(encryptInto({ recipients: [recipient] }, sink, endless)).rejects.toBe(full);

    const cut = new Error('the server is gone');
    const drain = new Writable({ write: (_chunk, _, done) => done() });
    drain.on('error', () => undefined);
    await expect(
      encryptInto({ recipients: [recipient] }, drain, async (into) => {
        into.write(randomBytes(CHUNK));
        throw cut;
      }),
    ).rejects.toBe(cut);
  });
});

describe('what cannot be encrypted to', () => {
  const age = 'age1f3rtnfxsfufwzq5x42gnrzh276a9jfyh9eae6v45nw76crzax9tqrhehp4';
  it.each([
    ['a letter wrong', [recipientWith('q')], 'bad_recipient'],
    ['cut', [age.slice(0, -1)], 'bad_recipient'],
    ['in capitals', [age.toUpperCase()], 'bad_recipient'],
    ['two in one word', [`${age},${age}`], 'bad_recipient'],
    [
      'a key of SSH',
      ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN'],
      'bad_recipient',
    ],
    [
      'a key of hardware',
      ['age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e'],
      'bad_recipient',
    ],
    ['with a good one', [age, 'age1'], 'bad_recipient'],
    ['a secret key', [`AGE-SECRET-KEY-1${'Q'.repeat(58)}`], 'secret_key_given'],
    ['a secret key in small letters', [`age-secret-key-1${'q'.repeat(58)}`], 'secret_key_given'],
    [
      'too many',
      Array.from({ length: 21 }, (_, at) => `age1qqqqqqqqqqqqqqqqqqqq${at}`),
      'too_many_recipients',
    ],
  ])('%s', async (_, recipients, code) => {
    const refused = await openEncrypter({ recipients }).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(refused).toMatchObject({ code, exitCode: 2 });
    const said = JSON.stringify({ ...refused, message: refused?.message, cause: undefined });
    for (const one of recipients) expect(said).not.toContain(one.slice(4, 30) || '\0');
  });

  it.each(['', 'short', '            ', 'aaaaaaaaaaaaaaaa', 'elevenchars'])(
    'by the passphrase "%s"',
    async (passphrase) => {
      await expect(openEncrypter({ passphrase })).rejects.toMatchObject({
        code: 'short_passphrase',
        exitCode: 2,
      });
    },
  );

  it('keys of both kinds together', async () => {
    const hybrid = await identityToRecipient(await generateHybridIdentity());
    await expect(openEncrypter({ recipients: [recipient, hybrid] })).rejects.toMatchObject({
      code: 'mixed_recipients',
    });
    await expect(openEncrypter({ recipients: [recipient, recipient] })).resolves.toBeDefined();
  });

  function recipientWith(letter: string): string {
    return `${age.slice(0, 20)}${age[20] === letter ? 'p' : letter}${age.slice(21)}`;
  }
});
