import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  composeLetter,
  type DataRequest,
  letterText,
  type RequestFile,
  type RequestStep,
  writeLetter,
} from '../../src/privacy/index.js';

const folder = mkdtempSync(join(tmpdir(), 'nestctl-letters-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NOW = new Date('2026-12-01T15:00:00Z');
const TOLD = 'il faut consulter l’autre parent <script>alert(1)</script>';

const step = (name: string, more: Partial<RequestStep> = {}): RequestStep => ({
  number: 1,
  step: name,
  at: NOW,
  by: 'camille.roy',
  duty: 'compliance',
  state: 'open',
  state_reason: null,
  particulars: {},
  told: null,
  reason: 'the secret reason of staff',
  ticket: 'PRV-12',
  ...more,
});
const STEPS: Readonly<Record<string, RequestStep>> = {
  acknowledgement: step('opened'),
  extension: step('extended', {
    told: TOLD,
    particulars: {
      ground: 'consultation',
      days: 30,
      limit_on: '2027-01-31',
      notice_at: '2026-12-02T01:00:00+00:00',
    },
  }),
  refusal: step('denied', { told: TOLD, state_reason: 'no_match' }),
  answer: step('fulfilled', { told: TOLD }),
};
const fileOf = (steps: readonly RequestStep[], more: Partial<DataRequest> = {}): RequestFile => ({
  request: {
    id: '60000000-0000-4000-8000-000000000001',
    number: 'REQ-2026-0007',
    regime: 'pipeda',
    kind: 'access',
    subject_kind: 'user',
    user_id: '20000000-0000-4000-8000-000000000001',
    child_id: null,
    contact_id: null,
    email: null,
    requester: 'self',
    requester_user: null,
    requester_name: null,
    requester_contact: null,
    asks: 'tout',
    channel: 'mail',
    dated_on: null,
    // The evening of 30 November where the person lives.
    received_at: new Date('2026-12-01T01:00:00Z'),
    zone: 'America/Toronto',
    language: 'fr',
    duplicate_of: null,
    opened_at: NOW,
    opened_by: 'camille.roy',
    state: 'open',
    state_reason: null,
    due_on: '2027-01-31',
    due_before: new Date('2027-02-01T05:00:00Z'),
    extensions: [],
    recourse_until: '2027-08-01',
    identity_verified_at: null,
    cost_estimate: null,
    cost_accepted_at: null,
    answered_at: NOW,
    seen: '1',
    ...more,
  },
  steps,
  clock: { days_left: 60, extension_notice_due: null, lines: [] },
  corrections: [],
  notices: [],
  complaints: [],
  code: null,
  holds: [],
  next: undefined,
});
const letterOf = (kind: string, more: Partial<DataRequest> = {}) =>
  composeLetter(fileOf([STEPS[kind] as RequestStep], more), kind as never, NOW);

describe.each(['acknowledgement', 'extension', 'refusal', 'answer'])('the letter of %s', (kind) => {
  it.each(['pipeda', 'law25'] as const)(
    'under %s is whole in both languages, and says nothing of staff',
    (regime) => {
      const letter = letterOf(kind, { regime });
      const [en, fr] = [letterText(letter, 'en'), letterText(letter, 'fr')];
      for (const text of [en, fr]) {
        expect(text).toContain('REQ-2026-0007');
        expect(text).not.toMatch(/[{}]|undefined|null|secret|PRV-12|camille|\d{4}-\d{2}-\d{2}/);
      }
      expect(en).toContain('On November 30, 2026 we received');
      expect(fr).toContain('Le 30 novembre 2026, nous avons reçu votre demande d’accès');
      const whom = regime === 'pipeda' ? /30,? (rue )?Victoria/ : /525, boulevard René-Lévesque/;
      expect(en).toMatch(whom);
      expect(fr).toMatch(whom);
      const named = regime === 'pipeda' ? /PIPEDA|LPRPDE/ : /P-39\.1/;
      expect(en).toMatch(named);
      expect(fr).toMatch(named);
      expect(letter.paragraphs.every((one) => one.en.length > 4 && one.fr.length > 4)).toBe(true);
    },
  );
});

describe('what the law wants in a letter', () => {
  it('of an extension: the new limit, the reasons and the right to complain, on the day of the notice', () => {
    const letter = letterOf('extension');
    expect(letterText(letter, 'fr')).toMatch(
      /1er décembre 2026[\s\S]*expire le 31 janvier 2027[\s\S]*consultations nécessaires[\s\S]*l’autre parent[\s\S]*porter plainte au Commissaire/,
    );
    expect(letterText(letter, 'en')).toMatch(
      /December 1, 2026[\s\S]*new time limit for our answer is January 31, 2027[\s\S]*consultations needed[\s\S]*right to complain to the Privacy Commissioner/,
    );
  });

  it('of a refusal: ground, reasons, to whom and until when, and that the data is kept', () => {
    const letter = letterOf('refusal');
    expect(letterText(letter, 'fr')).toMatch(
      /aucun renseignement[\s\S]*l’autre parent[\s\S]*Jusqu’au 1er août 2027[\s\S]*Commissaire[\s\S]*conservés/,
    );
    expect(letterText(letter, 'en')).toMatch(
      /no information[\s\S]*Until August 1, 2027[\s\S]*Commissioner[\s\S]*kept at least until/,
    );
  });

  it('of an acknowledgement: by when, that silence is a refusal, and that identity is verified first where it is not', () => {
    expect(letterText(letterOf('acknowledgement'), 'en')).toMatch(
      /verify who asks[\s\S]*by January 31, 2027[\s\S]*as a refusal[\s\S]*within 30 days of your request/,
    );
    const verified = letterText(
      letterOf('acknowledgement', { identity_verified_at: NOW, regime: 'law25' }),
      'en',
    );
    expect(verified).not.toMatch(/verify who asks|within 30 days of your request/);
  });

  it('of an answer: what it is, what was agreed to be paid, and that it came late where it did', () => {
    const inTime = letterText(letterOf('answer', { recourse_until: null }), 'en');
    expect(inTime).toContain(`This is our answer: ${TOLD}`);
    expect(inTime).not.toMatch(/after the time limit|dollars/);
    const late = letterText(letterOf('answer', { cost_estimate: '12.50', cost_accepted_at: NOW }), 'fr');
    expect(late).toMatch(/12\.50 dollars[\s\S]*après l’expiration du délai/);
  });
});

it('is not written where its step was not taken, or its words were erased', () => {
  const opened = [STEPS.acknowledgement as RequestStep];
  for (const kind of ['extension', 'refusal', 'answer'] as const)
    expect(() => composeLetter(fileOf(opened), kind, NOW)).toThrow(/was not/);
  expect(() =>
    composeLetter(fileOf([{ ...(STEPS.refusal as RequestStep), told: null }]), 'refusal', NOW),
  ).toThrow(/erased/);
});

it('is a page of the language asked for, in which words of others are nothing but text', async () => {
  for (const language of ['en', 'fr'] as const) {
    const path = join(folder, `${language}.html`);
    await writeLetter(letterOf('refusal'), path, language);
    const page = readFileSync(path, 'utf8');
    expect(page).toContain(`<html lang="${language}-CA">`);
    expect(page).toContain('&lt;script&gt;');
    expect(page).not.toContain('<script');
    expect(page).toContain(language === 'fr' ? 'Jusqu’au 1er août 2027' : 'Until August 1, 2027');
  }
});
