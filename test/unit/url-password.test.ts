import { describe, expect, it } from 'vitest';
import { holdsPassword } from '../../src/platform/url-password.js';

describe('a password in a connection string', () => {
  it.each([
    'postgres://camille:hunter2@db.example.ca/nestsync',
    'postgresql://:hunter2@db.example.ca',
    'see postgres://camille:hun/ter2@db.example.ca/nestsync, please',
    '--host=POSTGRES://camille:hunter2@db.example.ca',
    'https://token:x-oauth@git.example.ca/a',
    'postgres://db.example.ca/nestsync?user=camille&password=hunter2',
    "host=db.example.ca user=camille password='hunter2'",
  ])('is found: %s', (text) => {
    expect(holdsPassword(text)).toBe(true);
  });

  it.each([
    'postgres://camille@db.example.ca/nestsync',
    'postgres://db.example.ca:5432/nestsync',
    'https://tickets.example.ca:8443/SUP-1/@alex',
    'gran@example.ca: cannot see the log',
    'password=forgotten',
    'the user=gran forgot her password',
    '://@',
    '',
  ])('is not suspected: %s', (text) => {
    expect(holdsPassword(text)).toBe(false);
  });

  it('is looked for in time, whatever the text', () => {
    const began = performance.now();
    for (const piece of ['postgres://', '://:', ':@', 'a:', '@', '://a', 'password=', 'user=', '?&', ' ']) {
      holdsPassword(piece.repeat(1_048_576 / piece.length));
    }
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
