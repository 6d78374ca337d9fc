import { formatInstant } from '../../platform/zone.js';
import type { Tone } from '../colour.js';
import { safeText } from '../safe-text.js';
import { type Cell, isToned, type Mark, type Plain } from '../views.js';

/** A cell made harmless: what stands there and how it is meant. */
export interface Printed {
  readonly text: string;
  readonly tone: Tone | undefined;
}

export function printCell(cell: Cell, zone: string): Printed {
  if (isToned(cell)) return { text: printPlain(cell.value, zone), tone: cell.tone };
  return { text: printPlain(cell, zone), tone: cell == null ? 'muted' : undefined };
}

function printPlain(value: Plain, zone: string): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value instanceof Date) return formatInstant(value, zone);
  return safeText(String(value));
}

const MARKS: Record<Mark, readonly [symbol: string, tone: Tone]> = {
  good: ['✓', 'good'],
  bad: ['✗', 'bad'],
  warn: ['!', 'warn'],
  unknown: ['?', 'unknown'],
  none: ['·', 'muted'],
};

export function printMark(mark: Mark): Printed {
  const [text, tone] = MARKS[mark];
  return { text, tone };
}
