import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { renderReport } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { FilePacker, type PackedFile, packText } from '../../platform/zip/packed-file.js';
import { zipOf } from '../../platform/zip/zip-of.js';
import { csvCell } from './cell.js';
import { Charts } from './charts.js';
import type { PackageSubject } from './exportable-request.js';
import { GroupFiles } from './group-files.js';
import { type Group, groupsOf } from './groups.js';
import { type Manifest, manifestOf, type PackageFacts, type WrittenFile } from './manifest.js';
import type { PackageTable } from './package-tables.js';
import { type Preview, packagePage } from './page.js';
import type { People } from './people.js';
import { type PackageRow, readRows } from './read-rows.js';
import { schemaOf } from './schema.js';
import { type Seal, sealZip } from './sealed-zip.js';
import { Severer } from './sever.js';
import { Tally } from './tally.js';

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
 * Writes the package of a person as one ZIP file, as its rows come from the server, each once; memory does not grow with
 * them. Within a transaction of one snapshot, the one in which tables and people were read.
 */
export async function writePackage(
  session: Session,
  content: PackageContent,
  { sign, signal, onFile }: WritingOptions,
  sink: Writable,
): Promise<WrittenPackage> {
  const writing = new PackageWriting(session, content, (file) => onFile?.(file.path));
  let sealed: Seal | undefined;
  const seal = sealZip((hash) => {
    sealed = hash;
    return sign(hash, writing.manifest, writing.manifestSha256);
  });
  const bytes = zipOf(writing.files(), new Date(content.facts.made_at));
  await pipeline(Readable.from(bytes, { objectMode: false }), seal, sink, { end: false, signal });
  return { seal: sealed as Seal, manifest: writing.manifest, manifest_sha256: writing.manifestSha256 };
}

class PackageWriting {
  readonly #session: Session;
  readonly #content: PackageContent;
  readonly #onFile: (file: WrittenFile) => void;
  readonly #severer: Severer;
  readonly #tally = new Tally();
  readonly #charts = new Charts();
  readonly #previews: Preview[] = [];
  readonly #written: WrittenFile[] = [];
  #manifest: Manifest | undefined;

  constructor(session: Session, content: PackageContent, onFile: (file: WrittenFile) => void) {
    this.#session = session;
    this.#content = content;
    this.#onFile = onFile;
    this.#severer = new Severer(content.people);
  }

  /** Of all the others; there when they are written. */
  get manifest(): Manifest {
    return this.#manifest as Manifest;
  }

  get manifestSha256(): string {
    return this.#written.at(-1)?.sha256 as string;
  }

  async *files(): AsyncGenerator<PackedFile> {
    for await (const file of this.#all()) {
      const { path, sha256, bytes } = file;
      this.#written.push({ path, sha256, bytes });
      yield file;
      this.#onFile({ path, sha256, bytes });
    }
  }

  async *#all(): AsyncGenerator<PackedFile> {
    const { facts, tables } = this.#content;
    const severances = new FilePacker('severances.csv');
    try {
      await severances.write('table,key,column,alias,times\r\n');
      for (const table of tables) {
        const groups = table.given > 0 ? groupsOf(table, facts.kind) : [];
        if (groups.length > 0) yield* this.#table(table, groups, severances);
      }
      yield await severances.end();
    } finally {
      await severances.discard();
    }
    yield await packText('index.html', this.#page());
    this.#manifest = manifestOf({
      ...{ facts, tables, previews: this.#previews, files: this.#written },
      tally: this.#tally.counts,
    });
    yield await packText('manifest.json', json(this.#manifest));
  }

  async *#table(
    table: PackageTable,
    groups: readonly Group[],
    severances: FilePacker,
  ): AsyncGenerator<PackedFile> {
    const columns = [...new Set(groups.flatMap((group) => group.columns))];
    const key = columns.flatMap(({ in_key }, at) => (in_key ? [at] : []));
    const files = groups.map((group) => new GroupFiles(group, columns));
    const chart = this.#charts.reader(table.table, columns);
    const packed: PackedFile[] = [];
    try {
      for await (const rows of readRows(this.#session, this.#content.of, table, columns, this.#severer)) {
        for (const row of rows) {
          chart?.(row.text);
          for (const file of files) {
            const full = file.add(row);
            if (full !== undefined) await full;
          }
          if (row.severed.length === 0) continue;
          this.#tally.add(table.table, row.severed);
          await severances.write(severed(table, key, row));
        }
      }
      for (const file of files) {
        const { group } = file.preview;
        this.#previews.push(file.preview);
        packed.push(...(await file.end()));
        packed.push(await packText(`schema/${group.path}.schema.json`, json(schemaOf(group))));
      }
      for (let file = packed.shift(); file !== undefined; file = packed.shift()) yield file;
    } finally {
      await Promise.all([...packed.map((file) => file.close()), ...files.map((file) => file.discard())]);
    }
  }

  #page(): string {
    const { facts, tables } = this.#content;
    const page = packagePage({
      ...{ facts, tables, previews: this.#previews, charts: this.#charts },
      aliases: this.#tally.aliases,
    });
    return renderReport(page, { language: facts.language, zone: facts.zone });
  }
}

/** The lines of severances.csv of a row. */
function severed({ table }: PackageTable, key: readonly number[], { text, severed }: PackageRow): string {
  const name = key.map((at) => text(at) ?? '').join('/');
  return severed
    .flatMap(({ column, aliases }) =>
      [...timesOf(aliases)].map(
        ([alias, times]) =>
          `${[table, name, column, alias].map((cell) => csvCell('text', cell)).join(',')},${times}\r\n`,
      ),
    )
    .join('');
}

function timesOf(aliases: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const alias of aliases) times.set(alias, (times.get(alias) ?? 0) + 1);
  return times;
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
