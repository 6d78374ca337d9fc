import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../src/platform/package-root.js';

export interface Import {
  /** The importing file, from the package root. */
  readonly from: string;
  /** A file from the package root (`.ts`), or the name of a package. */
  readonly to: string;
  readonly kind: 'type' | 'static' | 'dynamic';
}

export interface Source {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

/** Every TypeScript and JavaScript file below some folders of the package, parsed. */
export function readSources(...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|js)$/.test(name))
      .map((name) => parse(join(folder, name))),
  );
}

function parse(path: string): Source {
  const text = readFileSync(join(packageRoot(), path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) imports.push({ from: path, to: target(path, found.name), kind: found.kind });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { path, text, tree, imports };
}

function importOf(node: ts.Node): { name: string; kind: Import['kind'] } | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    // `import { type A }` still runs the module; only `import type` does not.
    const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { name: node.moduleSpecifier.text, kind: typeOnly ? 'type' : 'static' };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
    return { name: node.moduleSpecifier.text, kind: node.isTypeOnly ? 'type' : 'static' };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [name] = node.arguments;
    if (name === undefined || !ts.isStringLiteral(name)) throw new Error('import() of something computed');
    return { name: name.text, kind: 'dynamic' };
  }
  if (
    ts.isImportTypeNode(node) &&
    ts.isLiteralTypeNode(node.argument) &&
    ts.isStringLiteral(node.argument.literal)
  ) {
    return { name: node.argument.literal.text, kind: 'type' };
  }
  return undefined;
}

function target(from: string, name: string): string {
  if (!name.startsWith('.')) return /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name;
  const path = relative(packageRoot(), resolve(packageRoot(), dirname(from), name));
  return path.replace(/^dist\//, '').replace(/\.js$/, '.ts');
}

/** Every package and file that is loaded at once when a file is: its static imports, and theirs. */
export function loadedWith(start: string, sources: ReadonlyMap<string, Source>): Set<string> {
  const loaded = new Set<string>();
  const load = (path: string): void => {
    for (const { to, kind } of sources.get(path)?.imports ?? []) {
      if (kind !== 'static' || loaded.has(to)) continue;
      loaded.add(to);
      load(to);
    }
  };
  load(start);
  return loaded;
}
