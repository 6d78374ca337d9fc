import type { Plain } from './views.js';

interface Change {
  readonly column: string;
  readonly before: Plain;
  readonly after: Plain;
}

interface Images {
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** The columns of an event with their values before and after, in the order of the row. */
export function changesOf(event: Images): Change[] {
  const columns = new Set([...Object.keys(event.before ?? {}), ...Object.keys(event.after ?? {})]);
  return [...columns].map((column) => ({
    column,
    before: plain(event.before?.[column]),
    after: plain(event.after?.[column]),
  }));
}

/** `notes: null → "x"; quantity_used: 1 → 2`, for one line. */
export function changeLine(event: Images): string {
  return changesOf(event)
    .filter(({ column }) => column !== 'updated_at')
    .map(({ column, before, after }) => {
      if (event.before === null) return `${column}: ${after}`;
      return event.after === null ? `${column}: ${before}` : `${column}: ${before} → ${after}`;
    })
    .join('; ');
}

function plain(value: unknown): Plain {
  if (value === undefined) return undefined;
  return typeof value === 'number' || typeof value === 'boolean' ? value : JSON.stringify(value);
}
