import type { Call, Condition } from './condition.js';
import { callOf, existsOf, type HelperCall, returnedBy, type Token, withValues } from './parse-inside.js';

type Ast = Readonly<Record<string, unknown>>;

export type ParseCondition = (sql: string) => Condition;

/** What a test holds inside; each undefined where it is none of its kind. */
export interface ParseInside {
  /** Questions of one condition more each, the last of them the whole. */
  exists(sql: string): { readonly text: string; readonly sql: string }[] | undefined;
  call(sql: string): HelperCall | undefined;
  /** The condition that a SQL function returns, with these values for its arguments. */
  body(
    body: string,
    call: {
      readonly name: string;
      readonly arguments: readonly string[];
      readonly values: readonly string[];
    },
  ): string | undefined;
}

let loaded: Promise<typeof import('libpg-query')> | undefined;

/** Begins to load PostgreSQL's own parser, which takes about as long as connecting does. */
export function loadParser(): Promise<typeof import('libpg-query')> {
  loaded ??= import('libpg-query').then(async (parser) => {
    await parser.loadModule();
    return parser;
  });
  return loaded;
}

/** PostgreSQL's own parser, in WebAssembly: loading it takes longer than using it, so only who needs it does. */
export async function conditionParser(): Promise<ParseCondition & ParseInside> {
  const { parseSync, scanSync } = await loadParser();

  const root = (sql: string): Ast | undefined => {
    try {
      return at(
        parseSync(`select ${sql}`),
        'stmts',
        0,
        'stmt',
        'SelectStmt',
        'targetList',
        0,
        'ResTarget',
        'val',
      ) as Ast;
    } catch {
      return undefined;
    }
  };

  /** The scanner counts bytes, a string does not. */
  const piecesOf = (sql: string) => {
    const bytes = Buffer.from(sql, 'utf8');
    const tokens: Token[] = scanSync(sql).tokens.map(({ start, end, text }) => ({
      start,
      end,
      word: text.toUpperCase(),
    }));
    return {
      tokens,
      between: (from: number, to: number) => bytes.subarray(from, to).toString('utf8').trim(),
    };
  };

  const parse: ParseCondition = (written) => {
    const sql = withoutParentheses(written, piecesOf);
    const tree = root(sql);
    const boolean = tree?.BoolExpr as Ast | undefined;
    const parts = (kind: Condition['kind'], texts: readonly string[] | undefined): Condition | undefined =>
      texts === undefined || texts.some((text) => root(text) === undefined)
        ? undefined
        : { kind, sql, parts: texts.map(parse), calls: [] };
    const taken =
      boolean?.boolop === 'AND_EXPR'
        ? parts('all', splitAt('AND', piecesOf(sql)))
        : boolean?.boolop === 'OR_EXPR'
          ? parts('any', splitAt('OR', piecesOf(sql)))
          : boolean?.boolop === 'NOT_EXPR'
            ? parts('not', afterNot(piecesOf(sql)))
            : tree?.CaseExpr !== undefined && at(tree, 'CaseExpr', 'arg') === undefined
              ? parts('case', arms(piecesOf(sql)))
              : undefined;
    return taken ?? test(sql, tree);
  };
  const inside: ParseInside = {
    exists: (sql) => {
      const found = existsOf(root(sql), piecesOf(sql));
      if (found === undefined) return undefined;
      const where = parse(found.where);
      const parts = where.kind === 'all' ? where.parts.map((part) => `(${part.sql})`) : [`(${found.where})`];
      return [
        { text: `rows of ${found.from}`, sql: `EXISTS (SELECT FROM ${found.from})` },
        ...parts.map((part, last) => ({
          text: `of these, some with ${part.slice(1, -1)}`,
          sql: `EXISTS (SELECT FROM ${found.from} WHERE ${parts.slice(0, last + 1).join(' AND ')})`,
        })),
      ];
    },
    // A sub-select that stood in parentheses stands without them.
    call: (sql) => callOf(root(sql) ?? root(`(${sql})`), piecesOf(sql)),
    body: (body, call) => {
      const expression = returnedBy(body, root);
      return expression === undefined ? undefined : withValues(piecesOf(expression), call);
    },
  };
  return Object.assign(parse, inside);
}

type Pieces = ReturnType<(sql: string) => { tokens: Token[]; between: (from: number, to: number) => string }>;

/** Tokens inside so many parentheses, brackets and CASE … END. */
function atDepth(wanted: number, tokens: readonly Token[]): Token[] {
  let depth = 0;
  return tokens.filter(({ word }) => {
    if (word === ')' || word === ']' || word === 'END') depth--;
    const shown = depth === wanted;
    if (word === '(' || word === '[' || word === 'CASE') depth++;
    return shown;
  });
}

function splitAt(word: string, { tokens, between }: Pieces): string[] | undefined {
  const cuts = atDepth(0, tokens).filter((token) => token.word === word);
  if (cuts.length === 0) return undefined;
  const starts = [tokens[0]?.start ?? 0, ...cuts.map(({ end }) => end)];
  const ends = [...cuts.map(({ start }) => start), tokens.at(-1)?.end ?? 0];
  return starts.map((start, cut) => between(start, ends[cut] as number));
}

function afterNot({ tokens, between }: Pieces): string[] | undefined {
  const [first] = tokens;
  return first?.word === 'NOT' ? [between(first.end, tokens.at(-1)?.end ?? 0)] : undefined;
}

function arms({ tokens, between }: Pieces): string[] | undefined {
  const last = tokens.at(-1);
  if (tokens[0]?.word !== 'CASE' || last?.word !== 'END') return undefined;
  const marks = atDepth(1, tokens).filter(({ word }) => ['WHEN', 'THEN', 'ELSE'].includes(word));
  return marks.map((mark, turn) => between(mark.end, (marks[turn + 1] ?? last).start));
}

/** A whole that stands in parentheses, without them. */
function withoutParentheses(sql: string, piecesOf: (sql: string) => Pieces): string {
  const { tokens, between } = piecesOf(sql);
  let [low, high] = [0, tokens.length - 1];
  while (tokens[low]?.word === '(' && closes(tokens, low) === high && high - low > 1) {
    low++;
    high--;
  }
  return between(tokens[low]?.start ?? 0, tokens[high]?.end ?? 0);
}

function closes(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at]?.word === '(') depth++;
    if (tokens[at]?.word === ')' && --depth === 0) return at;
  }
  return -1;
}

function test(sql: string, tree: Ast | undefined): Condition {
  return { kind: 'test', sql, parts: [], calls: callsIn(tree), among: among(tree) };
}

/** `column = ANY ((SELECT f(…))::type[])`, and the same as `array_position((SELECT f(…))::type[], column) IS NOT NULL`. */
function among(tree: Ast | undefined): Condition['among'] {
  const any = tree?.A_Expr as Ast | undefined;
  const position = at(tree, 'NullTest', 'arg', 'FuncCall') as Ast | undefined;
  let [column, list]: (unknown | undefined)[] = [];
  if (any?.kind === 'AEXPR_OP_ANY' && at(any, 'name', 0, 'String', 'sval') === '=') {
    column = any.lexpr;
    list = any.rexpr;
  } else if (
    at(tree, 'NullTest', 'nulltesttype') === 'IS_NOT_NULL' &&
    at(position, 'funcname', 0, 'String', 'sval') === 'array_position'
  ) {
    list = at(position, 'args', 0);
    column = at(position, 'args', 1);
  }
  const fields = at(column, 'ColumnRef', 'fields') as readonly unknown[] | undefined;
  const name = at(fields?.at(-1), 'String', 'sval');
  const calls = callsIn(list);
  return typeof name === 'string' && calls[0] !== undefined && calls.length === 1
    ? { column: name, call: calls[0] }
    : undefined;
}

function callsIn(tree: unknown): Call[] {
  if (Array.isArray(tree)) return tree.flatMap(callsIn);
  if (typeof tree !== 'object' || tree === null) return [];
  const call = (tree as Ast).FuncCall as Ast | undefined;
  const below = Object.values(tree).flatMap(callsIn);
  if (call === undefined) return below;
  const names = (call.funcname as readonly unknown[]).map((name) => String(at(name, 'String', 'sval')));
  const args = ((call.args ?? []) as readonly unknown[]).map(constant);
  return [{ schema: names.at(-2), name: names.at(-1) ?? '', args }, ...below];
}

function constant(tree: unknown): string | null {
  const inner = at(tree, 'TypeCast', 'arg') ?? tree;
  const value = at(inner, 'A_Const', 'sval', 'sval');
  return typeof value === 'string' ? value : null;
}

/** What stands at a path of keys. */
function at(tree: unknown, ...path: readonly (string | number)[]): unknown {
  let here = tree;
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Readonly<Record<string | number, unknown>>)[key];
  }
  return here;
}
