type Ast = Readonly<Record<string, unknown>>;

export interface Token {
  readonly start: number;
  readonly end: number;
  readonly word: string;
}

/** The tokens of a text, and the text between two places, counted in bytes. */
export interface Pieces {
  readonly tokens: readonly Token[];
  between(from: number, to: number): string;
}

export interface HelperCall {
  readonly schema: string;
  readonly name: string;
  /** Each argument as it stands in the call. */
  readonly args: readonly string[];
}

/** The FROM of an EXISTS and its WHERE, as they stand; undefined for any other condition, or one that groups or limits. */
export function existsOf(
  tree: Ast | undefined,
  { tokens, between }: Pieces,
): { readonly from: string; readonly where: string } | undefined {
  const link = tree?.SubLink as Ast | undefined;
  if (link?.subLinkType !== 'EXISTS_SUBLINK' || tokens[0]?.word !== 'EXISTS') return undefined;
  const select = (link.subselect as Ast | undefined)?.SelectStmt as Ast | undefined;
  const grouped = [
    'groupClause',
    'havingClause',
    'limitCount',
    'limitOffset',
    'withClause',
    'larg',
    'windowClause',
  ];
  if (select?.whereClause === undefined || grouped.some((clause) => select[clause] !== undefined))
    return undefined;
  const [from, where] = ['FROM', 'WHERE'].map((word) => wordAt(tokens, 1, word));
  const last = tokens.at(-1);
  if (from === undefined || where === undefined || last?.word !== ')') return undefined;
  return { from: between(from.end, where.start), where: between(where.end, last.start) };
}

/** A test that is nothing but the call of a function of a schema, by itself or in a SELECT. */
export function callOf(tree: Ast | undefined, { tokens, between }: Pieces): HelperCall | undefined {
  const select = ((tree?.SubLink as Ast | undefined)?.subselect as Ast | undefined)?.SelectStmt as
    | Ast
    | undefined;
  const target =
    select?.fromClause === undefined ? (select?.targetList as Ast[] | undefined)?.[0] : undefined;
  const call = (tree?.FuncCall ??
    ((target?.ResTarget as Ast | undefined)?.val as Ast | undefined)?.FuncCall) as Ast | undefined;
  const names = (call?.funcname as readonly { String?: { sval?: string } }[] | undefined)?.map(
    (name) => name.String?.sval ?? '',
  );
  const [schema, name] = names?.length === 2 ? names : [];
  if (schema === undefined || name === undefined || schema === 'pg_catalog') return undefined;
  const at = tokens.findIndex(
    (token, place) =>
      token.word === '(' &&
      place > 0 &&
      tokens[place - 1]?.word !== 'SELECT' &&
      tokens[place - 2]?.word === '.',
  );
  if (at === -1) return undefined;
  const inside = insideOf(tokens, at);
  if (inside === undefined) return undefined;
  if (inside.length === 0) return { schema, name, args: [] };
  const commas = topLevel(inside).filter(({ word }) => word === ',');
  const starts = [inside[0]?.start ?? 0, ...commas.map(({ end }) => end)];
  const ends = [...commas.map(({ start }) => start), inside.at(-1)?.end ?? 0];
  return { schema, name, args: starts.map((start, place) => between(start, ends[place] as number)) };
}

/** The one expression that a SQL function returns, as it stands; undefined for a body that is more. */
export function returnedBy(body: string, parsed: (sql: string) => Ast | undefined): string | undefined {
  const text = body.trim().replace(/;$/, '').trim();
  const atomic = /^BEGIN ATOMIC\s+([\s\S]*?);?\s*END$/i.exec(text)?.[1]?.trim();
  const expression = /^(?:RETURN|SELECT)\s+([\s\S]*)$/i.exec(atomic ?? text)?.[1];
  return expression !== undefined && parsed(expression) !== undefined ? expression.trim() : undefined;
}

/** An expression with values in place of a function's arguments, named or numbered. */
export function withValues(
  { tokens, between }: Pieces,
  call: { readonly name: string; readonly arguments: readonly string[]; readonly values: readonly string[] },
): string {
  const names = call.arguments.map((name) => name.toUpperCase());
  const [own, end] = [call.name.toUpperCase(), tokens.at(-1)?.end ?? 0];
  let written = '';
  let from = tokens[0]?.start ?? 0;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    const qualified = tokens[at + 1]?.word === '.' && token.word === own;
    const named = qualified ? tokens[at + 2] : token;
    const free =
      tokens[at - 1]?.word !== '.' && (qualified || !['.', '('].includes(tokens[at + 1]?.word ?? ''));
    const place = /^\$\d+$/.test(token.word)
      ? Number(token.word.slice(1)) - 1
      : free
        ? names.indexOf(named?.word ?? '')
        : -1;
    const value = call.values[place];
    if (place < 0 || value === undefined) continue;
    written += `${raw(between, from, token.start)}(${value})`;
    from = (qualified ? (named as Token) : token).end;
    if (qualified) at += 2;
  }
  return `${written}${raw(between, from, end)}`.trim();
}

/** Blanks at both ends count here. */
function raw(between: Pieces['between'], from: number, to: number): string {
  return from >= to ? ' ' : ` ${between(from, to)} `;
}

function wordAt(tokens: readonly Token[], depth: number, word: string): Token | undefined {
  let deep = 0;
  return tokens.find((token) => {
    if (token.word === ')') deep--;
    const found = deep === depth && token.word === word;
    if (token.word === '(') deep++;
    return found;
  });
}

/** What stands between a parenthesis and the one that closes it. */
function insideOf(tokens: readonly Token[], open: number): Token[] | undefined {
  let deep = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at]?.word === '(') deep++;
    if (tokens[at]?.word === ')' && --deep === 0) return tokens.slice(open + 1, at);
  }
  return undefined;
}

function topLevel(tokens: readonly Token[]): Token[] {
  let deep = 0;
  return tokens.filter(({ word }) => {
    if (word === ')' || word === ']') deep--;
    const shown = deep === 0;
    if (word === '(' || word === '[') deep++;
    return shown;
  });
}
