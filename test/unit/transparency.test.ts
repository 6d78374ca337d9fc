import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sqlPath } from '../../src/platform/package-root.js';
import { openCheckpoint, signCheckpoint } from '../../src/platform/transparency/checkpoint.js';
import { rootFromPath } from '../../src/platform/transparency/inclusion.js';
import {
  GrowingTree,
  joined,
  pathOf,
  type Subtree,
  subtreesOf,
} from '../../src/platform/transparency/merkle.js';
import { openNote, signNote } from '../../src/platform/transparency/signed-note.js';
import { auditPath, checkNote, leafHash, treeHash } from '../support/tree-by-the-rfc.js';

/** The inputs and roots that RFC 6962's own implementation is tested with. */
const INPUTS = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = INPUTS.map((input) => leafHash(Buffer.from(input, 'hex')));

describe('the tree', () => {
  it('has the roots of the published vectors', () => {
    const tree = new GrowingTree();
    expect(tree.root().toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    leaves.forEach((leaf, at) => {
      tree.append(leaf);
      expect(tree.root().toString('hex')).toBe(ROOTS[at]);
    });
  });

  it('agrees with the recursion of the RFC in every size up to 300, for every leaf, path and tree that goes on', async () => {
    const many = Array.from({ length: 300 }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)));
    const read = async ({ height, index }: Subtree) =>
      treeHash(many.slice(index * 2 ** height, (index + 1) * 2 ** height));
    for (let size = 1; size <= 300; size += size < 40 ? 1 : 37) {
      const some = many.slice(0, size);
      const peaks: Buffer[] = [];
      for (const subtree of subtreesOf(size)) peaks.push(await joined([subtree], read));
      const tree = new GrowingTree(size, peaks);
      const root = treeHash(some);
      expect(tree.root()).toEqual(root);
      for (const [index, leaf] of some.entries()) {
        const path: Buffer[] = [];
        for (const trees of pathOf(index, size)) path.push(await joined(trees, read));
        expect(path).toEqual(auditPath(index, some));
        expect(rootFromPath(leaf, index, size, path)).toEqual(root);
        if (size > 1) {
          expect(rootFromPath(leaf, (index + 1) % size, size, path)?.equals(root) ?? false).toBe(false);
          expect(rootFromPath(leaf, index, size, path.slice(1))?.equals(root) ?? false).toBe(false);
          expect(rootFromPath(leaf, index, size, [...path, leaf])?.equals(root) ?? false).toBe(false);
        }
      }
      if (size < 300) {
        tree.append(many[size] as Buffer);
        expect(tree.root()).toEqual(treeHash(many.slice(0, size + 1)));
      }
    }
  });
});

/** RFC 8032, 7.1, test 1. */
const X = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString(
  'base64url',
);
const D = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex').toString(
  'base64url',
);
const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: X, d: D } });
const keys = [{ kid: 'A', key: createPublicKey(key) }];

describe('a note', () => {
  const text = 'example.com/log\nIf you think cryptography is the answer to your problem,\n';
  it('opens under its key, and by the specification alone', () => {
    const note = signNote(text, 'example.com/log', key);
    expect(note).toMatch(/\n\n— example\.com\/log [A-Za-z0-9+/]+=*\n$/);
    expect(openNote(note, keys)).toEqual({ text, kid: 'A' });
    expect(checkNote(note, 'example.com/log', X)).toBe(text);
  });

  it('of which anything was changed opens under no key', () => {
    const note = signNote(text, 'example.com/log', key);
    for (let at = 0; at < text.length - 1; at += 7) {
      const other = `${note.slice(0, at)}${note[at] === 'x' ? 'y' : 'x'}${note.slice(at + 1)}`;
      expect(openNote(other, keys)?.kid).toBeUndefined();
    }
    expect(openNote(note.slice(0, -1), keys)).toBeUndefined();
    expect(openNote(text, keys)).toBeUndefined();
    expect(openNote(note, [])?.kid).toBeUndefined();
  });
});

/** An Ed25519 key by its seed and public key, base64, as vectors have them behind an algorithm byte. */
const vectorKey = (seed: string, x: string) =>
  createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'OKP',
      crv: 'Ed25519',
      d: Buffer.from(seed, 'base64').subarray(1).toString('base64url'),
      x: Buffer.from(x, 'base64').subarray(1).toString('base64url'),
    },
  });

describe('published vectors', () => {
  // golang.org/x/mod, sumdb/note/note_test.go, TestSign and TestOpen.
  const text =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const x = 'ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const peter =
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
  const enoch =
    '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

  it('of signed notes: what Go signs we sign, byte for byte', () => {
    const peterKey = vectorKey('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', x);
    expect(signNote(text, 'PeterNeumann', peterKey)).toBe(`${text}\n${peter}`);
    const publicX = Buffer.from(x, 'base64').subarray(1).toString('base64url');
    expect(checkNote(`${text}\n${peter}${enoch}`, 'PeterNeumann', publicX)).toBe(text);
  });

  it('of signed notes: what Go takes for none is none', () => {
    const publicKeys = [
      { kid: 'P', key: createPublicKey(vectorKey('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', x)) },
    ];
    expect(openNote(`${text}\n${peter}`, publicKeys)).toMatchObject({ text });
    for (const bad of [
      text,
      `${text}\n`,
      `${text}\n${peter.slice(0, -1)}`,
      `\x01${text}\n${peter}`,
      `${text}\n${peter.replace('PeterNeumann', 'Bad Name').slice(0, -1)}`,
      `${text}\n${peter}Unexpected line.\n`,
    ])
      expect(openNote(bad, publicKeys)).toBeUndefined();
    // One who signs under another name than the note's own is not believed here.
    expect(openNote(`${text}\n${peter}`, publicKeys)?.kid).toBeUndefined();
  });

  it('of a checkpoint: the head of the log of Go modules verifies, and says what it says', () => {
    // https://sum.golang.org/latest at 31,700,353 modules, and the key that cmd/go has for it.
    const goX = Buffer.from('Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8', 'base64').subarray(1);
    const note =
      'go.sum database tree\n31700353\nqINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=\n\n' +
      '— sum.golang.org Az3grnmrIUEDFqHzAElIQCPNoRFRAAdFo47fooyWKMHb89k11GJh5zHIfNCOBmwn/C3YI8oW9/C8DJ87F61QqspBYwM=\n';
    expect(checkNote(note, 'sum.golang.org', goX.toString('base64url'))).toBe(`${note.split('\n\n')[0]}\n`);
    expect(() =>
      checkNote(note.replace('31700353', '31700354'), 'sum.golang.org', goX.toString('base64url')),
    ).toThrow();
    expect(openCheckpoint(note, [])).toBeUndefined();
  });
});

describe('a checkpoint', () => {
  const checkpoint = {
    origin: 'nestsync-audit/6f1c9f0e-0000-4000-8000-000000000000/1',
    size: 8,
    root: Buffer.from(ROOTS[7] ?? '', 'hex'),
    families: Buffer.from(ROOTS[6] ?? '', 'hex'),
    catalogue: 'ab'.repeat(32),
    firstEpoch: 1,
    watermark: 4_294_967_300n,
    madeAt: '2026-11-25T00:00:00.000Z',
  };
  it('says what was signed', () => {
    const note = signCheckpoint(checkpoint, { key });
    expect(openCheckpoint(note, keys)).toEqual({ ...checkpoint, note, kid: 'A' });
    expect(note.split('\n').slice(0, 3)).toEqual([
      checkpoint.origin,
      '8',
      checkpoint.root.toString('base64'),
    ]);
    expect(readFileSync(sqlPath('docs', 'audit-seal.md'), 'utf8').replaceAll(/^ {4}/gm, '')).toContain(note);
    expect(openCheckpoint(note.replace('\n8\n', '\n9\n'), keys)?.kid).toBeUndefined();
    expect(openCheckpoint(note.replace('\n8\n', '\n08\n'), keys)).toBeUndefined();
  });
});
