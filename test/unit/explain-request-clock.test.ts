import { expect, it } from 'vitest';
import { explainClock } from '../../src/privacy/requests/explain-clock.js';
import type { DataRequest } from '../../src/privacy/requests/request.js';

/** Received on Friday 20 November 2026 in Toronto; 30 days later is a Sunday. */
const REQUEST: DataRequest = {
  id: '60000000-0000-4000-8000-000000000001',
  number: 'REQ-2026-0001',
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
  asks: 'everything',
  channel: 'email',
  dated_on: '2026-11-18',
  received_at: new Date('2026-11-21T04:00:00Z'),
  zone: 'America/Toronto',
  language: 'en',
  duplicate_of: null,
  opened_at: new Date('2026-11-21T14:00:00Z'),
  opened_by: 'camille.roy',
  state: 'open',
  state_reason: null,
  due_on: '2026-12-21',
  due_before: new Date('2026-12-22T05:00:00Z'),
  extensions: [],
  recourse_until: '2027-06-21',
  identity_verified_at: null,
  cost_estimate: null,
  cost_accepted_at: null,
  answered_at: null,
  seen: '1',
};
const NOW = new Date('2026-11-29T12:00:00Z');
const days = (request: DataRequest, now = NOW) =>
  explainClock(request, now).map(({ day, law }) => [day, law]);

it('says every day that counts, with the law that it is counted by', () => {
  expect(days(REQUEST)).toEqual([
    ['2026-11-20', 'PIPEDA s. 8(3)'],
    ['2026-12-20', 'PIPEDA s. 8(3)'],
    // From the date it bears, two days before its receipt; no Sunday moves it.
    ['2026-12-18', 'PIPEDA s. 8(4)'],
    ['2026-12-21', 'Interpretation Act (R.S.C. 1985, c. I-21), ss. 26, 27(5), 35'],
    ['2027-06-21', 'PIPEDA s. 11(2)'],
  ]);
});

it('counts on from the limit of an extension, and tells of no other notice', () => {
  const notice_at = new Date('2026-12-01T15:00:00Z');
  const extensions = [{ ground: 'consultation', days: 30, limit: '2027-01-19', notice_at }] as const;
  const extended = { ...REQUEST, extensions, due_on: '2027-01-19', recourse_until: '2027-07-19' };
  expect(days(extended).slice(2)).toEqual([
    ['2027-01-19', 'PIPEDA s. 8(4)'],
    ['2027-01-19', 'PIPEDA s. 8(3)'],
    ['2027-07-19', 'PIPEDA s. 11(2)'],
  ]);
});

it('says from when on silence was a refusal, and that a late answer does not undo it', () => {
  const silent = explainClock({ ...REQUEST, state: 'expired' }, new Date('2026-12-22T05:00:00Z'));
  expect(silent.find(({ law }) => law === 'PIPEDA s. 8(5)')).toMatchObject({ day: '2026-12-22' });
  expect(explainClock(REQUEST, new Date('2026-12-22T04:59:59Z')).map(({ law }) => law)).not.toContain(
    'PIPEDA s. 8(5)',
  );
  const answered_at = new Date('2026-12-24T15:00:00Z');
  const late = explainClock({ ...REQUEST, state: 'fulfilled', answered_at }, NOW);
  expect(late.find(({ law }) => law === 'PIPEDA s. 8(5)')?.what).toMatch(/though it was answered later/);
});

it('knows no notice and 30 days of recourse under Law 25', () => {
  const quebec = { ...REQUEST, regime: 'law25', recourse_until: '2027-01-20' } as const;
  expect(days(quebec)).toEqual([
    ['2026-11-20', 'CQLR c. P-39.1, s. 32'],
    ['2026-12-20', 'CQLR c. P-39.1, s. 32'],
    ['2026-12-21', 'Interpretation Act (CQLR c. I-16), ss. 52, 61(23)'],
    ['2027-01-20', 'CQLR c. P-39.1, s. 43'],
  ]);
});
