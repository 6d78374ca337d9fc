import { setTimeout as sleep } from 'node:timers/promises';
import { NestctlError } from '../platform/errors.js';
import { askChoice, type Choice } from './terminal.js';

/** Gets one missing value from the person at the terminal. */
export type Ask = () => Promise<string>;

/** Asks for one of a list that is at hand: typing narrows it, by any of the words typed. */
export function fromList(question: string, load: () => Promise<readonly Choice[]>): Ask {
  return async () => {
    const all = await load();
    if (all.length === 0) {
      throw new NestctlError(`${question} There is none to choose.`, {
        kind: 'not_found',
        code: 'no_choice',
      });
    }
    return await askChoice(question, async (typed = '') => narrowed(all, typed));
  };
}

export function narrowed(all: readonly Choice[], typed: string): readonly Choice[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(({ value, label, note = '' }) => {
    const text = `${value} ${label} ${note}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The contexts of the file. */
export const fromContexts: Ask = fromList('Which context?', async () => {
  const { listContexts } = await import('../platform/config/contexts.js');
  return (await listContexts()).map(({ name, user, host, port, database, chosen }) => ({
    value: name,
    label: chosen ? `${name} (current)` : name,
    note: `${user}@${host}:${port}/${database}`,
  }));
});

/** Somebody or something that the directory answered with: masked, unless a grant opens it. */
export interface Found {
  readonly id: string;
  readonly name: string;
  readonly facts: readonly string[];
}

/** After the last key, milliseconds: each lookup is recorded and counts against a quota. */
const PAUSE = 500;
const HELP = 'Type a name’s first three letters or more, or a whole e-mail address or id.';

/**
 * What to show for the letters typed, by lookups of the directory: only for what it answers to, only once typing
 * has paused, and never twice for the same. Without letters `look(undefined)` tells what is open already.
 */
export function directorySearch(
  look: (typed: string | undefined) => Promise<readonly Found[]>,
  pause = PAUSE,
): (typed: string | undefined, signal: AbortSignal) => Promise<readonly Choice[]> {
  const known = new Map<string, readonly Found[]>();
  return async (typed, signal) => {
    const term = typed?.trim().toLowerCase() ?? '';
    const before = known.get(term);
    if (before !== undefined) return before.map(asChoice);
    if (term !== '' && !answerable(term)) throw new NestctlError(HELP, { kind: 'usage' });
    // A longer name begins with the shorter one, of which there is none.
    const shorter = [...known].find(
      ([name, found]) => found.length === 0 && name !== '' && term.startsWith(name),
    );
    if (shorter !== undefined && !isWhole(term)) return [];
    if (term !== '') await sleep(pause, undefined, { signal });
    const found = await look(term === '' ? undefined : term);
    known.set(term, found);
    if (found.length === 0 && term === '') throw new NestctlError(HELP, { kind: 'usage' });
    return found.map(asChoice);
  };
}

function asChoice({ id, name, facts }: Found): Choice {
  return { value: id, label: [name, ...facts].join(' · '), note: id };
}

/** An e-mail address or an id: looked up as a whole. */
function isWhole(term: string): boolean {
  return term.includes('@') || /^[0-9a-f]{8}-[0-9a-f-]*$/.test(term);
}

function answerable(term: string): boolean {
  if (term.includes('@')) return /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/.test(term);
  if (isWhole(term)) return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(term);
  return /\p{L}.*\p{L}.*\p{L}/u.test(term);
}
