import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sqlPath } from '../package-root.js';
import { type MigrationHeader, parseHeader, wrong } from './migration-header.js';

/** One statement, or for a transactional file the whole of it. */
export interface Statement {
  readonly text: string;
  /** Line in the file where the text starts, from 1. */
  readonly line: number;
}

export interface MigrationFile {
  /** As in `0003_children/up.sql`. */
  readonly path: string;
  /** SHA-256 in hex of the text with Unix line ends, so that a checkout on Windows is no change. */
  readonly sha256: string;
  readonly statements: readonly Statement[];
}

export interface Migration extends MigrationHeader {
  /** The folder's name, as in `0003_children`. */
  readonly name: string;
  readonly up: MigrationFile;
  /** Absent where the migration is not reversible. */
  readonly down?: MigrationFile;
}

/** What a file without a transaction may hold: each can be run again after an interruption at any point. */
const REPEATABLE = [
  /^create\s+(unique\s+)?index\s+concurrently\s+if\s+not\s+exists\s/i,
  /^drop\s+index\s+concurrently\s+if\s+exists\s/i,
  /^alter\s+table\s+\S+\s+validate\s+constraint\s+\S+$/i,
  /^alter\s+type\s+\S+\s+add\s+value\s+if\s+not\s+exists\s/i,
  /^refresh\s+materialized\s+view\s/i,
  /^(vacuum|analyze)\s/i,
];

/**
 * All migrations of a folder, `sql/migrations` of this package by default, in order. Throws `failure` naming
 * the file whose name, header or content is wrong.
 */
export async function readMigrations(folder: string = sqlPath('migrations')): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const numbers = new Map<string, string>();
  for (const name of names) {
    const number = /^(\d{4})_[a-z0-9]+(_[a-z0-9]+)*$/.exec(name)?.[1];
    if (number === undefined) throw wrong(name, 'the folder is not named like 0001_name');
    const other = numbers.get(number);
    if (other !== undefined) throw wrong(name, `${other} has the same number`);
    numbers.set(number, name);
  }
  return Promise.all(names.map((name) => readMigration(folder, name)));
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const upText = await readText(folder, name, 'up.sql');
  const upPath = `${name}/up.sql`;
  if (upText === undefined) throw wrong(upPath, 'there is no such file');
  const header = parseHeader(upPath, upText);
  const downText = await readText(folder, name, 'down.sql');
  const downPath = `${name}/down.sql`;
  if (header.reversible && downText === undefined) {
    throw wrong(downPath, 'there is no such file, and the header says the migration is reversible');
  }
  if (!header.reversible && downText !== undefined) {
    throw wrong(downPath, 'the header says the migration is not reversible');
  }
  const up = migrationFile(upPath, upText, header.transaction);
  return downText === undefined
    ? { name, ...header, up }
    : { name, ...header, up, down: migrationFile(downPath, downText, header.transaction) };
}

async function readText(folder: string, name: string, file: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, name, file), 'utf8')).replaceAll('\r\n', '\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function migrationFile(path: string, text: string, transaction: boolean): MigrationFile {
  const statements = transaction ? [{ text, line: 1 }] : splitStatements(text);
  for (const { text: statement, line } of statements) {
    const bare = bareSql(statement);
    if (bare === '') throw wrong(`${path} line ${line}`, 'there is no statement');
    if (!transaction && !REPEATABLE.some((pattern) => pattern.test(bare))) {
      throw wrong(
        `${path} line ${line}`,
        'a migration without a transaction holds only statements that can be run again: concurrent index ' +
          'builds with IF NOT EXISTS or drops with IF EXISTS, VALIDATE CONSTRAINT, ADD VALUE IF NOT EXISTS, ' +
          'REFRESH, VACUUM, ANALYZE; several are separated by a line "-- statement"',
      );
    }
  }
  return { path, sha256: createHash('sha256').update(text).digest('hex'), statements };
}

/** Cuts at lines that are exactly `-- statement`; nothing else is looked at, so no quoting can mislead it. */
function splitStatements(text: string): Statement[] {
  const statements: Statement[] = [];
  let lines: string[] = [];
  let start = 1;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trimEnd() === '-- statement') {
      statements.push({ text: lines.join('\n'), line: start });
      lines = [];
      start = index + 2;
    } else lines.push(line);
  }
  statements.push({ text: lines.join('\n'), line: start });
  // The header may be followed by a separator of its own.
  return statements.filter(({ text: statement }, index) => index > 0 || bareSql(statement) !== '');
}

/** Without whole-line comments, the final semicolon and surplus white space. */
export function bareSql(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*--/.test(line))
    .join('\n')
    .trim()
    .replace(/\s*;$/, '');
}
