import { describe, expect, test } from 'vitest';
import { addMonths, dayIn, startOf } from '../../src/privacy/clock/calendar-day.js';
import { extend } from '../../src/privacy/clock/extend.js';
import { isHoliday, type Jurisdiction } from '../../src/privacy/clock/holidays.js';
import type { ExtensionGround, Regime } from '../../src/privacy/clock/regimes.js';
import {
  type ClockedRequest,
  type GrantedExtension,
  requestClock,
} from '../../src/privacy/clock/request-clock.js';

const TORONTO = 'America/Toronto';
const noon = (day: string) => new Date(`${day}T17:00:00Z`);
const request = (receivedOn: string, more: Partial<ClockedRequest> = {}): ClockedRequest => ({
  regime: 'pipeda',
  zone: TORONTO,
  receivedAt: noon(receivedOn),
  extensions: [],
  ...more,
});

describe('holidays', () => {
  // Easter Sundays as the Western churches have announced them.
  test.each([
    ['2024-03-29', '2024-04-01'],
    ['2025-04-18', '2025-04-21'],
    ['2026-04-03', '2026-04-06'],
    ['2027-03-26', '2027-03-29'],
    ['2028-04-14', '2028-04-17'],
    ['2029-03-30', '2029-04-02'],
    ['2030-04-19', '2030-04-22'],
    ['2032-03-26', '2032-03-29'],
    ['2035-03-23', '2035-03-26'],
    ['2038-04-23', '2038-04-26'],
  ])('Good Friday %s and Easter Monday %s', (friday, monday) => {
    for (const jurisdiction of ['canada', 'quebec'] as const) {
      expect(isHoliday(friday, jurisdiction)).toBe(true);
      expect(isHoliday(monday, jurisdiction)).toBe(true);
    }
  });

  test.each<[string, readonly Jurisdiction[], string]>([
    ['2026-01-01', ['canada', 'quebec'], 'New Year'],
    ['2026-05-18', ['canada', 'quebec'], 'Victoria Day, the Monday before 25 May'],
    ['2026-05-25', [], 'the 25th itself, a Monday'],
    ['2027-05-24', ['canada', 'quebec'], 'Victoria Day as late as it comes'],
    ['2026-06-24', ['quebec'], 'the National Holiday of Quebec'],
    ['2026-07-01', ['canada', 'quebec'], 'Canada Day'],
    ['2029-07-02', ['canada', 'quebec'], 'the Monday after a Canada Day on a Sunday'],
    ['2026-07-02', [], 'the day after any other Canada Day'],
    ['2026-08-03', [], 'the civic holiday, which is none by law'],
    ['2026-09-07', ['canada', 'quebec'], 'Labour Day'],
    ['2026-09-30', ['canada'], 'the National Day for Truth and Reconciliation'],
    ['2020-09-30', [], 'that day before it was one'],
    ['2026-10-12', ['canada', 'quebec'], 'Thanksgiving'],
    ['2026-11-11', ['canada'], 'Remembrance Day'],
    ['2026-12-25', ['canada', 'quebec'], 'Christmas'],
    ['2026-12-26', [], 'Boxing Day, a Saturday'],
    ['2026-11-28', [], 'a Saturday'],
    ['2026-11-29', ['canada', 'quebec'], 'a Sunday'],
  ])('%s: %s', (day, where) => {
    expect((['canada', 'quebec'] as const).filter((jurisdiction) => isHoliday(day, jurisdiction))).toEqual(
      where,
    );
  });
});

describe('days', () => {
  test.each([
    ['2026-08-31', 6, '2027-02-28'],
    ['2027-08-31', 6, '2028-02-29'],
    ['2026-12-15', 6, '2027-06-15'],
    ['2026-07-31', 0, '2026-07-31'],
  ])('%s and %i months are %s', (day, months, then) => {
    expect(addMonths(day, months)).toBe(then);
  });

  test.each([
    ['2026-11-28', TORONTO, '2026-11-28T05:00:00.000Z'],
    ['2026-03-08', TORONTO, '2026-03-08T05:00:00.000Z'],
    ['2026-11-02', 'America/St_Johns', '2026-11-02T03:30:00.000Z'],
    // Clocks went forward over midnight: the day began at one.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    // Clocks went back at one minute past midnight, over it: the day began before it was interrupted.
    ['2010-11-07', 'America/St_Johns', '2010-11-07T02:30:00.000Z'],
  ])('%s in %s begins at %s', (day, zone, instant) => {
    expect(startOf(day, zone).toISOString()).toBe(instant);
    expect(dayIn(startOf(day, zone), zone)).toBe(day);
  });
});

describe('the reply', () => {
  test.each<[Regime, string, string, string]>([
    ['pipeda', '2026-10-27', '2026-11-26', 'a Thursday'],
    ['pipeda', '2026-10-29', '2026-11-28', 'a Saturday, which moves nothing'],
    ['pipeda', '2026-10-30', '2026-11-30', 'a Sunday'],
    ['pipeda', '2026-10-12', '2026-11-12', 'Remembrance Day'],
    ['law25', '2026-10-12', '2026-11-11', 'Remembrance Day, which is none in Quebec'],
    ['law25', '2026-05-25', '2026-06-25', 'the National Holiday of Quebec'],
    ['pipeda', '2026-05-25', '2026-06-24', 'that day, elsewhere'],
    ['pipeda', '2026-03-04', '2026-04-04', 'Good Friday, and then a Saturday'],
    ['pipeda', '2026-03-06', '2026-04-07', 'Easter Sunday, and then Monday'],
    ['pipeda', '2028-01-30', '2028-02-29', 'the day that a leap year adds'],
    ['pipeda', '2026-12-02', '2027-01-02', 'New Year, and then a Saturday'],
    ['pipeda', '2026-11-25', '2026-12-26', 'Christmas, and then Boxing Day, which is no holiday'],
  ])('%s: received %s, due %s: %s', (regime, received, due) => {
    expect(requestClock(request(received, { regime }), noon(received)).due).toBe(due);
  });

  test('is counted from the day that the person’s clocks show', () => {
    const receivedAt = new Date('2026-10-28T05:30:00Z');
    expect(requestClock(request('', { receivedAt }), receivedAt)).toMatchObject({
      receivedOn: '2026-10-28',
      due: '2026-11-27',
      dueBefore: new Date('2026-11-28T05:00:00Z'),
    });
    expect(requestClock(request('', { receivedAt, zone: 'America/Vancouver' }), receivedAt)).toMatchObject({
      receivedOn: '2026-10-27',
      due: '2026-11-26',
    });
  });

  test('is late from the first instant of the next day there, and silence then a refusal', () => {
    const asked = request('2026-10-27');
    const at = (now: string) => requestClock(asked, new Date(now));
    expect(at('2026-11-27T04:59:59.999Z')).toMatchObject({
      state: 'running',
      daysLeft: 0,
      recourseUntil: null,
    });
    expect(at('2026-11-27T05:00:00.000Z')).toMatchObject({
      state: 'deemed_refused',
      daysLeft: -1,
      recourseUntil: '2027-05-26',
      laws: ['PIPEDA s. 8(3)', 'PIPEDA s. 8(5)', 'PIPEDA s. 11(2)'],
    });
    expect(at('2026-11-20T17:00:00Z').daysLeft).toBe(6);
  });

  test('that came in time ends the clock, and a refusal opens the recourse', () => {
    const answered = (at: string, refused: boolean, regime: Regime = 'pipeda') =>
      requestClock(
        request('2026-10-27', { regime, answer: { at: new Date(at), refused } }),
        noon('2027-01-01'),
      );
    expect(answered('2026-11-26T23:00:00Z', false)).toMatchObject({ state: 'answered', recourseUntil: null });
    expect(answered('2026-11-20T17:00:00Z', true)).toMatchObject({
      state: 'answered',
      recourseUntil: '2027-05-20',
    });
    expect(answered('2026-11-20T17:00:00Z', true, 'law25').recourseUntil).toBe('2026-12-21');
  });

  test('that came too late leaves the recourse that silence gave', () => {
    const late = (refused: boolean) =>
      requestClock(
        request('2026-10-27', { answer: { at: noon('2026-12-01'), refused } }),
        noon('2026-12-02'),
      );
    expect(late(false)).toMatchObject({ state: 'answered_late', recourseUntil: '2027-05-26' });
    expect(late(true)).toMatchObject({ state: 'answered_late', recourseUntil: '2027-06-01' });
  });
});

describe('an extension', () => {
  const wish = (ground: ExtensionGround, days: number, told = '2026-11-20') => ({
    ground,
    days,
    noticeAt: noon(told),
  });
  const withExtensions = (...extensions: GrantedExtension[]) => request('2026-10-27', { extensions });

  test('goes on from the limit that was counted, not from where a holiday moved it', () => {
    const asked = request('2026-10-30');
    const extension = extend(asked, wish('consultation', 30));
    expect(extension.limit).toBe('2026-12-29');
    const clock = requestClock({ ...asked, extensions: [extension] }, noon('2026-12-01'));
    expect(clock).toMatchObject({ due: '2026-12-29', state: 'running', daysLeft: 28 });
    expect(clock.laws).toEqual(['PIPEDA s. 8(3)', 'PIPEDA s. 8(4)']);
  });

  test('is told within 30 days of the date of the request, which may be earlier than its receipt', () => {
    const asked = request('2026-10-27', { datedOn: '2026-10-20' });
    expect(requestClock(asked, noon('2026-11-01'))).toMatchObject({
      due: '2026-11-26',
      extensionNoticeDue: '2026-11-19',
    });
    expect(extend(asked, wish('consultation', 10, '2026-11-19')).limit).toBe('2026-12-06');
    expect(() => extend(asked, wish('consultation', 10, '2026-11-20'))).toThrow(
      expect.objectContaining({ code: 'extension_notice_late', hint: 'The answer stays due on 2026-11-26.' }),
    );
    expect(() => extend(asked, wish('consultation', 10, '2026-10-26'))).toThrow(
      expect.objectContaining({ code: 'invalid_extension' }),
    );
  });

  test('is of 30 days at most, all in all; conversion comes on top', () => {
    const first = extend(withExtensions(), wish('consultation', 20));
    expect(() => extend(withExtensions(first), wish('unreasonable_interference', 11))).toThrow(
      expect.objectContaining({ code: 'extension_too_long', hint: 'At most 10 days.' }),
    );
    const second = extend(withExtensions(first), wish('unreasonable_interference', 10));
    expect(second.limit).toBe('2026-12-26');
    expect(() => extend(withExtensions(first, second), wish('consultation', 1))).toThrow(
      expect.objectContaining({ code: 'extension_too_long' }),
    );
    const third = extend(withExtensions(first, second), wish('conversion', 45));
    expect(third.limit).toBe('2027-02-09');
    expect(() => extend(withExtensions(third), wish('consultation', 30))).not.toThrow();
    expect(() => extend(withExtensions(), wish('consultation', 31))).toThrow(
      expect.objectContaining({ code: 'extension_too_long' }),
    );
  });

  test('of no days, of a fraction or backwards is none', () => {
    for (const days of [0, -1, 1.5, Number.NaN])
      expect(() => extend(withExtensions(), wish('consultation', days))).toThrow(
        expect.objectContaining({ code: 'invalid_extension' }),
      );
  });

  test('is not to be had in Quebec, nor once the answer went out', () => {
    expect(() => extend(request('2026-10-27', { regime: 'law25' }), wish('consultation', 10))).toThrow(
      expect.objectContaining({ code: 'no_extension_in_law' }),
    );
    const answer = { at: noon('2026-11-10'), refused: false };
    expect(() => extend(request('2026-10-27', { answer }), wish('consultation', 10))).toThrow(
      expect.objectContaining({ code: 'request_answered' }),
    );
  });
});
