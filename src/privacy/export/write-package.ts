import type { Writable } from 'node:stream';
import { renderReport } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { addTurn } from './account-sections.js';
import { csvCell, jsonCell } from './cell.js';
import { Charts } from './charts.js';
import type { PackageSubject } from './exportable-request.js';
import { type Group, groupsOf } from './groups.js';
import { type Manifest, manifestOf, type PackageFacts } from './manifest.js';
import type { PackageTable } from './package-tables.js';
import { type Preview, packagePage, SHOWN_ROWS } from './page.js';
import type { People } from './people.js';
import type { PackageRow } from './read-rows.js';
import { RowSource } from './row-source.js';
import { schemaOf } from './schema.js';
import { type Seal, sealZip } from './sealed-zip.js';
import { Severer } from './sever.js';
import { Tally } from './tally.js';
import { type WrittenFile, writeZip, type ZipEntry } from './write-zip.js';

export interface PackageContent {
  readonly of: PackageSubject;
  readonly facts: PackageFacts;
  readonly tables: readonly PackageTable[];
  readonly people: People;
}

export interface WrittenPackage {
  readonly seal: Seal;
  readonly manifest: Manifest;
  readonly manifest_sha256: string;
}

export interface WritingOptions {
  /** Makes of the hash of all bytes what is put at the end, as the manifest is known. */
  readonly sign: (seal: Seal, manifest: Manifest, manifestSha256: string) => Promise<Buffer>;
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: ((path: string) => void) | undefined;
}

/**
 * Writes the package of a person as one ZIP file, as its rows come from the server; memory does not grow with them.
 * Within a transaction of one snapshot, the one in which tables and people were read.
 */
export async function writePackage(
  session: Session,
  { of, facts, tables, people }: PackageContent,
  { sign, signal, onFile }: WritingOptions,
  sink: Writable,
): Promise<WrittenPackage> {
  const files: WrittenFile[] = [];
  const rows = new Map<string, number>();
  const tally = new Tally();
  const charts = new Charts();
  const previews: Preview[] = [];
  const severer = new Severer(people);
  const groups = tables.filter(({ given }) => given > 0).flatMap((table) => groupsOf(table, facts.kind));
  const source = new RowSource(session, of, severer);
  const read = (group: Group) => source.rows(group.table, group.columns);
  // What the key has of others is in every file of a table, and counts once.
  const counts = (group: Group) => {
    const first = groups.find(({ table }) => table === group.table) === group;
    const names = group.columns
      .filter(({ in_key }) => first || !in_key)
      .map(({ column_name }) => column_name);
    return (severed: PackageRow['severed']) => severed.filter(({ column }) => names.includes(column));
  };
  let manifest: Manifest | undefined;
  let sealed: Seal | undefined;

  const entries: ZipEntry[] = groups.flatMap((group) => [
    {
      path: `${group.path}.json`,
      chunks: async function* () {
        const preview: Preview = { group, rows: [], more: 0, turns: new Map() };
        previews.push(preview);
        const counted = counts(group);
        let count = 0;
        for await (const row of read(group)) {
          count += 1;
          tally.add(group.table.table, counted(row.severed));
          addTurn(group, row.values, preview.turns);
          charts.add(group, row.values);
          if (count <= SHOWN_ROWS) preview.rows.push(row.values);
          yield `${count === 1 ? '[' : ','}\n${jsonRow(group, row.values)}`;
        }
        preview.more = Math.max(0, count - SHOWN_ROWS);
        rows.set(group.path, count);
        yield count === 0 ? '[]\n' : '\n]\n';
      },
    },
    {
      path: `${group.path}.csv`,
      chunks: async function* () {
        yield `${group.columns.map(({ column_name }) => column_name).join(',')}\r\n`;
        for await (const { values } of read(group)) yield csvRow(group, values);
      },
    },
    { path: `schema/${group.path}.schema.json`, chunks: () => whole(json(schemaOf(group))) },
  ]);
  entries.push({
    path: 'severances.csv',
    chunks: async function* () {
      yield 'table,key,column,alias,times\r\n';
      for (const group of groups) {
        if (!group.columns.some(({ column_name }) => tally.has(group.table.table, column_name))) continue;
        const key = group.columns.filter(({ in_key }) => in_key);
        const told = counts(group);
        for await (const { values, severed } of read(group)) {
          const name = key.map((column) => values[group.columns.indexOf(column)] ?? '').join('/');
          for (const { column, aliases } of told(severed)) {
            for (const [alias, times] of timesOf(aliases))
              yield `${[group.table.table, name, column, alias].map((cell) => csvCell('text', cell)).join(',')},${times}\r\n`;
          }
        }
      }
    },
  });
  entries.push({
    path: 'index.html',
    chunks: () => {
      const content = { facts, tables, previews, rows, charts, aliases: tally.aliases };
      const { language, zone } = facts;
      return whole(renderReport(packagePage(content), { language, zone }));
    },
  });
  entries.push({
    path: 'manifest.json',
    chunks: () => {
      manifest = manifestOf({ facts, tables, groups, files, rows, tally: tally.counts });
      return whole(json(manifest));
    },
  });
  const seal = sealZip((hash) => {
    sealed = hash;
    return sign(hash, manifest as Manifest, files.at(-1)?.sha256 as string);
  });
  const told = (file: WrittenFile) => {
    files.push(file);
    onFile?.(file.path);
  };
  await writeZip(entries, { at: new Date(facts.made_at), seal, signal, onFile: told }, sink);
  return {
    seal: sealed as Seal,
    manifest: manifest as Manifest,
    manifest_sha256: files.at(-1)?.sha256 as string,
  };
}

function jsonRow({ columns }: Group, values: readonly (string | null | undefined)[]): string {
  const cells = columns.flatMap(({ column_name, kind }, at) => {
    const value = values[at];
    return value === undefined
      ? []
      : [`${JSON.stringify(column_name)}:${value === null ? 'null' : jsonCell(kind, value)}`];
  });
  return `{${cells.join(',')}}`;
}

function csvRow({ columns }: Group, values: readonly (string | null | undefined)[]): string {
  return `${columns.map(({ kind }, at) => csvCell(kind, values[at] ?? null)).join(',')}\r\n`;
}

function timesOf(aliases: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const alias of aliases) times.set(alias, (times.get(alias) ?? 0) + 1);
  return times;
}

async function* whole(text: string): AsyncGenerator<string> {
  yield text;
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
