/** A token of SQL or of a function's body: where it stands, in bytes, and its text in capitals. */
export interface Token {
  readonly start: number;
  readonly end: number;
  readonly word: string;
}

/** A condition in a body: where it stands, in bytes, and what it is the condition of. */
export interface Operand {
  readonly start: number;
  readonly end: number;
  readonly of: 'AND' | 'OR' | 'WHERE' | 'WHEN' | 'IF' | 'ON' | 'RETURN';
}

interface Frame {
  /** The token that opened it. */
  readonly opener: string;
  begins: Operand['of'] | undefined;
  first: number;
  joined: boolean;
  between: boolean;
  pieces: [number, number, 'AND' | 'OR' | undefined][];
}

const CONDITION = new Set(['WHERE', 'WHEN', 'IF', 'ELSIF', 'ON']);
const BOUNDARY = new Set([
  ...[
    'THEN',
    'ELSE',
    'LIMIT',
    'ORDER',
    'GROUP',
    'UNION',
    ';',
    ',',
    'LOOP',
    'SELECT',
    'FROM',
    'JOIN',
    'BEGIN',
    'DECLARE',
    ':=',
  ],
  ...['RETURN', 'END', 'HAVING'],
]);

/**
 * The conditions of a body, outer and inner ones: what WHERE, WHEN, IF and ON ask, every part of an AND or OR, and what
 * a boolean function returns. A grammar of its own, since the bodies are written in two languages; a piece that is no
 * condition after all makes a function that PostgreSQL refuses, and is told as untried.
 */
export function operandsOf(tokens: readonly Token[], returnsBoolean: boolean): Operand[] {
  const found: Operand[] = [];
  const stack: Frame[] = [frame('', 0)];
  const top = () => stack.at(-1) as Frame;
  const flush = (until: number, next: number, begins?: Operand['of']) => {
    const now = top();
    if (until > now.first) now.pieces.push([now.first, until, undefined]);
    const whole = now.pieces[0];
    const last = now.pieces.at(-1);
    if (whole !== undefined && last !== undefined) {
      if (now.begins !== undefined) found.push(operand(tokens, whole[0], last[1], now.begins));
      if (now.joined) {
        const joint = now.pieces.find((piece) => piece[2] !== undefined)?.[2] ?? 'AND';
        for (const [from, to] of now.pieces) found.push(operand(tokens, from, to, joint));
      }
    }
    Object.assign(now, frame(now.opener, next), { begins });
  };
  tokens.forEach(({ word }, at) => {
    const now = top();
    if (word === '(' || word === '[' || word === 'CASE') {
      stack.push(frame(word, at + 1));
      return;
    }
    if (word === ')' || word === ']' || (word === 'END' && now.opener === 'CASE')) {
      flush(at, at + 1);
      if (stack.length > 1) stack.pop();
      return;
    }
    if (word === 'BETWEEN') now.between = true;
    else if (word === 'AND' && now.between) now.between = false;
    else if (word === 'AND' || word === 'OR') {
      now.pieces.push([now.first, at, word]);
      now.joined = true;
      now.first = at + 1;
    } else if (CONDITION.has(word) && tokens[at - 1]?.word !== 'END') {
      flush(at, at + 1, word === 'ELSIF' ? 'IF' : (word as Operand['of']));
    } else if (BOUNDARY.has(word))
      flush(at, at + 1, word === 'RETURN' && returnsBoolean ? 'RETURN' : undefined);
  });
  while (stack.length > 1) {
    flush(tokens.length, tokens.length);
    stack.pop();
  }
  flush(tokens.length, tokens.length);
  const seen = new Set<string>();
  return found
    .filter(({ start, end }) => !seen.has(`${start}-${end}`) && seen.add(`${start}-${end}`))
    .sort((a, b) => a.start - b.start || b.end - a.end);
}

function frame(opener: string, first: number): Frame {
  return { opener, begins: undefined, first, joined: false, between: false, pieces: [] };
}

function operand(tokens: readonly Token[], from: number, to: number, of: Operand['of']): Operand {
  return { start: tokens[from]?.start ?? 0, end: tokens[to - 1]?.end ?? 0, of };
}
