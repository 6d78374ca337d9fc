import { NestctlError } from '../../platform/errors.js';

/** One statement that may be run as somebody else. */
export interface ParsedStatement {
  readonly text: string;
  readonly command: 'select' | 'insert' | 'update' | 'delete';
  /** What it writes to, quoted and with its schema where it was named; undefined for select. */
  readonly target: string | undefined;
  /** Names of the functions that it calls. */
  readonly functions: readonly string[];
}

type Tree = Readonly<Record<string, unknown>>;

const COMMANDS = {
  SelectStmt: 'select',
  InsertStmt: 'insert',
  UpdateStmt: 'update',
  DeleteStmt: 'delete',
} as const;
const LONGEST = 20_000;

/**
 * Reads a statement as PostgreSQL will. Only one SELECT, INSERT, UPDATE or DELETE comes through, which writes to one
 * table at most: whatever else there is could end the transaction, change the role or reach outside. Throws `usage`.
 */
export async function parseStatement(text: string): Promise<ParsedStatement> {
  const { loadModule, parseSync } = await import('libpg-query');
  await loadModule();
  if (text.length > LONGEST) throw refused(`A statement has at most ${LONGEST} characters.`);
  let statements: readonly { readonly stmt: Tree }[];
  try {
    statements = (parseSync(text) as { stmts?: { stmt: Tree }[] }).stmts ?? [];
  } catch (error) {
    throw refused(`This is no SQL: ${(error as Error).message}.`);
  }
  const [only] = statements;
  if (only === undefined) throw refused('There is no statement.');
  if (statements.length > 1) throw refused('One statement at a time.');
  const [kind = ''] = Object.keys(only.stmt);
  if (!(kind in COMMANDS)) {
    throw refused('Only SELECT, INSERT, UPDATE and DELETE are run as somebody else.');
  }
  const command = COMMANDS[kind as keyof typeof COMMANDS];
  const body = only.stmt[kind] as Tree;
  const nodes = nodesIn(body);
  if (nodes.some(([name]) => /^(Insert|Update|Delete|Merge)Stmt$/.test(name)))
    throw refused('A WITH that writes is not run as somebody else: write to one table at a time.');
  if (nodes.some(([name]) => name === 'IntoClause' || name === 'intoClause'))
    throw refused('SELECT INTO would make a table.');
  if (nodes.some(([name]) => name === 'ParamRef'))
    throw refused('Write values into the statement: there are none for $1.');
  return {
    text: text.trim(),
    command,
    target: command === 'select' ? undefined : nameOf(body.relation as Tree),
    functions: nodes.flatMap(([name, node]) => (name === 'FuncCall' ? [functionName(node)] : [])),
  };
}

/** Every node below a tree with its name, at any depth. */
function nodesIn(tree: unknown): [string, Tree][] {
  if (Array.isArray(tree)) return tree.flatMap(nodesIn);
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([name, node]) => [[name, node] as [string, Tree], ...nodesIn(node)]);
}

function functionName(call: Tree): string {
  const last = (call.funcname as readonly { String?: { sval?: string } }[]).at(-1);
  return last?.String?.sval ?? '';
}

function nameOf({ schemaname, relname }: Tree): string {
  const quoted = (name: unknown) => `"${String(name).replaceAll('"', '""')}"`;
  return schemaname === undefined ? quoted(relname) : `${quoted(schemaname)}.${quoted(relname)}`;
}

function refused(message: string): NestctlError {
  return new NestctlError(message, {
    kind: 'usage',
    code: 'invalid_statement',
    hint: `Write one query after two dashes: -- "select * from children"`,
  });
}
