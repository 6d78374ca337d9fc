import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, describe, expect, it } from 'vitest';
import { partialPath } from '../../src/console/partial-file.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { contextFile, finished, runConsole, runOnTerminal } from '../support/console.js';
import { createTestDatabase } from '../support/database.js';

/** Names of databases as nobody sane would give them; each must come back whole from NDJSON. */
const HOSTILE = [
  `=cmd|'/c calc'!A0`,
  '\u001b[2J\u001b[31mred\u009b1m',
  'two\r\nlines, "quoted"\tand tabbed',
  'right \u202eto left\u202c',
  '👨‍👩‍👧 é\u0301 家族',
  '-5',
];
const { env } = await contextFile(
  HOSTILE.map(
    (database, at) =>
      `[contexts.c${at}]\nkind = "server"\nhost = "h${at}.example.ca"\nport = ${6000 - at}\ndatabase = ${JSON.stringify(database).replaceAll('\u009b', '\\u009b')}\nuser = "camille.roy"\n`,
  ).join('\n'),
);
const folder = mkdtempSync(join(tmpdir(), 'nestctl-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const list = (...more: string[]) => runConsole(['context', 'list', ...more], { env });

/** PostgreSQL's own reader of CSV: nothing of ours nor of the library that wrote it. */
async function readBack(csv: string, columns: number): Promise<string[][]> {
  const database = await createTestDatabase({ template: 'template0' });
  const client = new pg.Client({ connectionString: database.url(database.owner.user) });
  try {
    await client.connect();
    const names = Array.from({ length: columns }, (_, at) => `c${at}`);
    await client.query(
      `create temp table back (n serial, ${names.map((name) => `${name} text`).join(', ')})`,
    );
    const sink = client.query(
      copyFrom(`copy back (${names.join(', ')}) from stdin with (format csv, header)`),
    );
    await pipeline(Readable.from([csv]), sink);
    const { rows } = await client.query<Record<string, string>>(
      `select ${names.join(', ')} from back order by n`,
    );
    return rows.map((row) => names.map((name) => row[name] ?? ''));
  } finally {
    await client.end();
    await database.drop();
  }
}

describe('hostile data', () => {
  it('is read back from CSV by PostgreSQL, whole but for what was made harmless', async () => {
    const { stdout } = await list('--format', 'csv', '--columns', 'database,port');
    expect(await readBack(stdout, 2)).toEqual(
      [
        `'=cmd|'/c calc'!A0`,
        '␛[2J␛[31mred‹U+009B›1m',
        'two\r\nlines, "quoted"\tand tabbed',
        'right \u202eto left\u202c',
        '👨‍👩‍👧 é\u0301 家族',
        '-5',
      ].map((database, at) => [database, String(6000 - at)]),
    );
  });

  it('is whole in NDJSON, one object a line', async () => {
    const { stdout } = await list('--format', 'ndjson');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ database }) => database)).toEqual(HOSTILE);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('touches no terminal in any format', async () => {
    for (const format of ['table', 'csv', 'ndjson', 'json']) {
      const { stdout } = await runOnTerminal(['context', 'list', '--format', format], {
        env: { ...env, NO_COLOR: '1' },
      });
      expect(stdout.replace(/\r*\n/g, ''), format).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });
});

describe('--sort and --columns', () => {
  it('order rows and result alike', async () => {
    const csv = await list('--sort', 'port', '--format', 'csv', '--columns', 'name');
    expect(csv.stdout).toBe('name\r\nc5\r\nc4\r\nc3\r\nc2\r\nc1\r\nc0\r\n');
    const json = await list('--sort', 'port:desc', '--json');
    expect(JSON.parse(json.stdout).result.contexts.map(({ name }: { name: string }) => name)).toEqual(
      HOSTILE.map((_, at) => `c${at}`),
    );
  });

  it.each([
    [['--columns'], 'missing_value'],
    [['--columns', 'nme'], 'unknown_column'],
    [['--sort', 'nme'], 'unknown_column'],
    [['--columns', 'name', '--json'], 'columns_of_json'],
  ])('%j is refused before anything is done', async (words, code) => {
    const { stdout, code: exit } = await list('--json', ...words.filter((word) => word !== '--json'));
    expect([exit, JSON.parse(stdout).error.code]).toEqual([2, code]);
  });
});

describe('--output', () => {
  const at = (name: string) => join(folder, name);

  it('writes every format to a file of the owner alone, and stdout says nothing', async () => {
    for (const words of [['--format', 'csv'], ['--format', 'ndjson'], ['--format', 'table'], ['--json']]) {
      const path = at(`out${words.join('')}`);
      const direct = await list(...words);
      const { code, stdout, stderr } = await list(...words, '--output', path);
      expect([code, stdout, stderr]).toEqual([0, '', `6 rows written to ${path}\n`]);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const text = readFileSync(path, 'utf8');
      if (words[0] === '--json') expect(JSON.parse(text).result).toEqual(JSON.parse(direct.stdout).result);
      else expect(text).toBe(direct.stdout);
    }
  });

  it('replaces nothing without --overwrite, and leaves nothing beside', async () => {
    const path = at('kept');
    writeFileSync(path, 'precious');
    const refused = await list('--format', 'csv', '--output', path, '--json');
    expect([refused.code, JSON.parse(refused.stdout).error.code]).toEqual([6, 'file_exists']);
    expect(readFileSync(path, 'utf8')).toBe('precious');
    chmodSync(path, 0o644);
    expect((await list('--format', 'csv', '--output', path, '--overwrite')).code).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/^name,/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('removes what a run that was killed left beside, and keeps away from one that is at work', async () => {
    const path = at('left');
    const partial = await partialPath(path);
    const dead = partial.replace(/[0-9a-f]{12}\.partial$/, '0123456789ab.partial');
    writeFileSync(dead, 'half');
    const { code, stderr } = await list('--format', 'csv', '--output', path);
    expect([code, stderr]).toEqual([
      0,
      `! Removed what a run that was killed had left unfinished: ${dead}.\n6 rows written to ${path}\n`,
    ]);
    writeFileSync(partial, 'half');
    const refused = await list('--format', 'csv', '--output', path, '--overwrite', '--json');
    expect([refused.code, JSON.parse(refused.stdout).error.code]).toEqual([6, 'being_written']);
    rmSync(partial);
  });

  it('says in a sentence where it cannot', async () => {
    for (const [path, exit] of [
      [join(folder, 'nowhere', 'x'), 1],
      [folder, 2],
      ['/proc/x', 1],
    ] as const) {
      const { code, stdout, stderr } = await list('--output', path);
      expect([path, code, stdout]).toEqual([path, exit, '']);
      expect(stderr).toMatch(/^✗ \S.*\.$/m);
    }
  });

  it('says that the disk is full, and leaves no file', async () => {
    const { code, stderr } = await list('--output', '/dev/full');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^✗ .*full.*\n/)]);
  });

  it('writes through pipes and devices, and - is stdout', async () => {
    const shell = spawn(
      'bash',
      [
        '-c',
        `"$0" "$1" context list --format csv --output >(cat >&2)`,
        process.execPath,
        join(packageRoot(), 'bin', 'run.js'),
      ],
      {
        env: { PATH: process.env.PATH ?? '', ...env },
        stdio: 'pipe',
      },
    );
    expect((await finished(shell)).stderr).toContain('c0,');
    expect((await list('--output', '-')).stdout).toMatch(/^NAME /);
  });
});

describe('the pager', () => {
  const screen = (pager: Record<string, string>, words: string[] = []) =>
    runOnTerminal(['context', 'list', ...words], { env: { ...env, NO_COLOR: '1', ...pager }, rows: 4 });

  it('gets what is longer than the screen, in one piece', async () => {
    const seen = at('seen');
    const { code, stdout } = await screen({ NESTCTL_PAGER: `tee ${seen} >/dev/null` });
    expect([code, stdout]).toEqual([0, '']);
    expect(readFileSync(seen, 'utf8').split('\n')).toHaveLength(8);
  });

  it.each([
    ['is closed early', { PAGER: 'head -n 1' }, /^NAME [^\n]*\r\n$/],
    ['is missing', { PAGER: 'no-such-pager-here' }, /c5 /],
    ['fails', { PAGER: 'exit 3' }, /c5 /],
    ['is empty', { PAGER: '' }, /c5 /],
    ['is cat', { NESTCTL_PAGER: 'cat', PAGER: 'exit 3' }, /c5 /],
    ['is for no terminal of this kind', { TERM: 'dumb', PAGER: 'touch /dev/null/x' }, /c5 /],
  ] as const)('that %s is exit 0', async (_, pager, expected) => {
    const { code, stdout } = await screen(pager);
    expect(code).toBe(0);
    expect(stdout).toMatch(expected);
  });

  it('is left out for --json, --output and what is no terminal', async () => {
    const trap = at('trap');
    const PAGER = `touch ${trap}; cat`;
    await screen({ PAGER }, ['--json']);
    await screen({ PAGER }, ['--output', at('paged')]);
    await runConsole(['context', 'list'], { env: { ...env, PAGER } });
    expect(existsSync(trap)).toBe(false);
    await screen({ PAGER });
    expect(existsSync(trap)).toBe(true);
  });

  function at(name: string): string {
    return join(folder, name);
  }
});
