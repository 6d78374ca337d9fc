import { expect, test } from 'vitest';
import { serverUser } from '../../src/platform/local/run-as.js';

const root = process.geteuid?.() === 0;

test('root hands over to postgres, without one to nobody, and says what to do without either', async () => {
  const known = { postgres: { uid: 70, gid: 71 }, nobody: { uid: 65534, gid: 65533 } };
  const lookup = (names: string[]) => async (name: string) =>
    names.includes(name) ? known[name as keyof typeof known] : undefined;
  if (!root) {
    expect(await serverUser(lookup(['postgres']))).toMatchObject({
      uid: process.geteuid?.(),
      dropped: false,
    });
    return;
  }
  expect(await serverUser(lookup(['postgres', 'nobody']))).toEqual({
    name: 'postgres',
    uid: 70,
    gid: 71,
    dropped: true,
  });
  expect(await serverUser(lookup(['nobody']))).toMatchObject({ name: 'nobody', uid: 65534, dropped: true });
  await expect(serverUser(lookup([]))).rejects.toMatchObject({
    code: 'no_server_user',
    exitCode: 6,
    next: 'useradd --system postgres',
  });
});
