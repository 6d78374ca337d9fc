import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Letter, type MailSettings, openMailer } from '../../src/platform/mail/index.js';
import {
  type Certificate,
  type MailServer,
  type MailServerWish,
  makeCertificate,
  startMailServer,
  startSilence,
} from '../support/mail-server.js';

const LOGIN = { user: 'nestsync', password: 'correct horse' };
const LETTER: Letter = {
  id: '5c1e07d2-0000-4000-8000-000000000001',
  to: 'gran@example.ca',
  fromName: 'NestSync',
  subject: 'NestSync : confirmez votre demande',
  language: 'fr',
  text: 'Votre code : 1234 5678, à bientôt',
  html: '<p>Votre code : 1234 5678, à bientôt</p>',
};
const QUICK = { connect: 4_000, idle: 3_000, step: 10_000 };

let certificate: Certificate;
let foreign: Certificate;
const running: { stop(): Promise<void> }[] = [];

beforeAll(() => {
  certificate = makeCertificate('localhost');
  foreign = makeCertificate('mail.example.ca');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
});

const start = async (wish: MailServerWish = {}): Promise<MailServer> => {
  const server = await startMailServer(wish);
  running.push(server);
  return server;
};

const settings = ({ port }: { port: number }, more: Partial<MailSettings> = {}): MailSettings => ({
  host: 'localhost',
  tls: 'starttls',
  from: 'privacy@nestsync.example',
  caFile: certificate.path,
  ...more,
  port,
});
const login = (password = LOGIN.password) => ({ user: LOGIN.user, password: async () => password });

const send = async (to: MailSettings, letter: Letter = LETTER): Promise<void> => {
  const mailer = await openMailer(to, QUICK);
  try {
    await mailer.send(letter);
  } finally {
    mailer.close();
  }
};

describe('a letter', () => {
  it.each([
    ['STARTTLS', { tls: 'starttls' }, {}],
    ['TLS from the first byte', { tls: 'implicit' }, { implicit: true }],
  ] as const)('arrives whole over %s, after a login', async (_, more, wish) => {
    const server = await start({ certificate, login: LOGIN, ...wish });
    await send(settings(server, { ...more, login: login(), replyTo: 'officer@nestsync.example' }));
    const [taken] = server.letters;
    expect(taken).toMatchObject({
      from: 'privacy@nestsync.example',
      to: ['gran@example.ca'],
      encrypted: true,
      user: LOGIN.user,
      text: LETTER.text,
      html: LETTER.html,
    });
    for (const line of [
      'From: NestSync <privacy@nestsync.example>',
      'Reply-To: officer@nestsync.example',
      'To: gran@example.ca',
      'Subject: NestSync : confirmez votre demande',
      `Message-ID: <${LETTER.id}@nestsync.example>`,
      'Content-Language: fr',
      'Auto-Submitted: auto-generated',
    ])
      expect(taken?.raw).toContain(`${line}\r\n`);
  });

  it('goes in clear text on this machine only, and with no login where none is named', async () => {
    const server = await start();
    await send(settings(server, { tls: 'none' }));
    expect(server.letters).toMatchObject([{ encrypted: false, user: undefined }]);
    await expect(
      openMailer({ ...settings(server), host: 'mail.example.ca', tls: 'none' }, QUICK),
    ).rejects.toMatchObject({ code: 'tls_disabled', exitCode: 2 });
  });
});

describe('TLS', () => {
  it('that is stripped ends it, before login or letter are told', async () => {
    const server = await start({ certificate, login: LOGIN, fault: 'no-starttls' });
    await expect(send(settings(server, { login: login() }))).rejects.toMatchObject({
      code: 'tls_refused',
      message: expect.stringContaining('does not offer TLS'),
    });
    expect(server.told).toEqual([]);
  });

  it.each([
    ['of an authority nobody trusts', () => certificate, undefined, /not signed by an authority/],
    ['for another name', () => foreign, () => foreign.path, /another host name/],
  ] as const)('with a certificate %s ends it, in both modes', async (_, shown, ca, message) => {
    for (const implicit of [false, true]) {
      const server = await start({ certificate: shown(), login: LOGIN, implicit });
      const tls = implicit ? 'implicit' : 'starttls';
      await expect(
        send(settings(server, { tls, login: login(), caFile: ca?.() })),
        tls,
      ).rejects.toMatchObject({ code: 'tls_unverified', message: expect.stringMatching(message) });
      expect(server.told).toEqual([]);
    }
  });

  it('from the first byte with a server that begins in the clear is no TLS', async () => {
    const server = await start({ certificate });
    await expect(send(settings(server, { tls: 'implicit' }))).rejects.toMatchObject({
      code: 'tls_refused',
      hint: expect.stringContaining('starttls'),
    });
  });
});

describe('what goes wrong', () => {
  it('is told by who refused what; never in the words of the server', async () => {
    for (const [fault, code, message] of [
      ['recipient', 'mail_recipient_refused', '(550 5.1.1)'],
      ['sender', 'mail_sender_refused', '(553 5.7.1)'],
      ['later', 'mail_deferred', '(451 4.7.1)'],
      ['refused-after-data', 'mail_refused', '(554 5.6.0)'],
    ] as const) {
      const server = await start({ certificate, fault });
      const error = await send(settings(server)).catch((thrown: unknown) => thrown);
      expect(error, fault).toMatchObject({ code, message: expect.stringContaining(message) });
      expect(String((error as Error).message), fault).not.toMatch(/gran@|junk|mailbox gran/);
      expect(server.letters, fault).toEqual([]);
    }
    const server = await start({ certificate, login: LOGIN });
    await expect(send(settings(server, { login: login('wrong') }))).rejects.toMatchObject({
      code: 'mail_login_refused',
      exitCode: 4,
      message: expect.not.stringMatching(/somebody|secret|wrong/),
    });
  });

  it('a server that is not there, says nothing, or stalls, is given up in time', async () => {
    const silence = await startSilence();
    running.push(silence);
    await expect(send(settings(silence))).rejects.toMatchObject({ code: 'mail_unreachable' });
    await expect(send(settings(silence, { tls: 'implicit' }))).rejects.toMatchObject({
      code: 'mail_unreachable',
    });
    const stalls = await start({ certificate, fault: 'stalls-at-recipient' });
    await expect(send(settings(stalls))).rejects.toMatchObject({ code: 'mail_unreachable' });
    const drops = await start({ certificate, fault: 'drops-before-data' });
    await expect(send(settings(drops))).rejects.toMatchObject({ code: 'connection_lost' });
    const { port, stop } = await startMailServer();
    await stop();
    await expect(send(settings({ port }))).rejects.toMatchObject({ code: 'mail_down' });
    await expect(send({ ...settings({ port }), host: 'nobody.invalid' })).rejects.toMatchObject({
      code: 'host_unknown',
    });
  });

  it.each(['stalls-after-data', 'drops-after-data'] as const)(
    'once the letter was handed over (%s) is not known to be wrong',
    async (fault) => {
      const server = await start({ certificate, fault });
      await expect(send(settings(server))).rejects.toMatchObject({ code: 'mail_unsure', exitCode: 9 });
      expect(server.letters).toHaveLength(1);
    },
  );

  it('an address with a line break in it smuggles nothing in', async () => {
    const server = await start({ certificate });
    const to = 'gran@example.ca>\r\nRCPT TO:<thief@example.com';
    await expect(send(settings(server), { ...LETTER, to })).rejects.toThrow();
    expect(server.letters.flatMap((one) => one.to)).not.toContain('thief@example.com');
  });
});
