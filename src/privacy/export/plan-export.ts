import sql from 'sql-template-tag';
import type { Language } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import { NestctlError } from '../../platform/errors.js';
import type { PackageSubject } from './exportable-request.js';
import { describeTable, type ManifestTable } from './manifest.js';
import { type PackageTable, readPackageTables, requireMap } from './package-tables.js';
import { readPeople } from './people.js';
import { readRows } from './read-rows.js';
import { Severer } from './sever.js';
import { Tally } from './tally.js';

export interface Subject {
  /** The id of the account, or of the child. */
  readonly person: string;
  readonly subject_kind: PackageSubject['kind'];
  readonly language: Language;
  readonly zone: string;
}

export interface ReadSubject {
  readonly subject: Subject;
  readonly tables: PackageTable[];
}

export interface ExportPlan extends Subject {
  readonly tables: readonly (ManifestTable & {
    readonly columns: readonly string[];
    /** How often others are replaced in it; null where only the counts were asked for. */
    readonly severances: number | null;
  })[];
  readonly rows: number;
  /** Who is replaced, and how often. Never who it is. Null as above. */
  readonly aliases: readonly { readonly alias: string; readonly times: number }[] | null;
}

/**
 * What the package of an account or of a child would hold: by reading all of it; or by the counts of its tables alone, for
 * whoever makes it at once, which looks at all else again. Writes nothing. Throws `map_incomplete`, `not_readable`, `no_such_person` and `no_grant`.
 */
export async function planExport(
  session: Session,
  of: PackageSubject,
  reading: 'rows' | 'counts' = 'rows',
): Promise<ExportPlan> {
  if (reading === 'rows') await requireMap(session);
  return await session.transaction(
    async () => await planOf(session, of, await readSubject(session, of), reading),
    { isolation: 'repeatable read', readOnly: true },
  );
}

/** The plan, in the snapshot in which the subject was read. */
export async function planOf(
  session: Session,
  of: PackageSubject,
  { subject, tables }: ReadSubject,
  reading: 'rows' | 'counts' = 'rows',
): Promise<ExportPlan> {
  const tally = reading === 'rows' ? await tallyOf(session, of, subject, tables) : undefined;
  return {
    ...subject,
    tables: tables.map((table) => ({
      ...describeTable(table),
      columns: table.columns.filter(({ exported }) => exported).map(({ column_name }) => column_name),
      severances: tally?.in(table.table) ?? null,
    })),
    rows: tables.reduce((sum, { given }) => sum + given, 0),
    aliases: tally === undefined ? null : [...tally.aliases].map(([alias, times]) => ({ alias, times })),
  };
}

async function tallyOf(
  session: Session,
  of: PackageSubject,
  { language }: Subject,
  tables: readonly PackageTable[],
): Promise<Tally> {
  const tally = new Tally();
  const severer = new Severer(await readPeople(session, of, language));
  for (const table of tables.filter(({ given }) => given > 0)) {
    const exported = table.columns.filter((column) => column.exported);
    for await (const rows of readRows(session, of, table, exported, severer))
      for (const { severed } of rows) tally.add(table.table, severed);
  }
  return tally;
}

/** Whom a package is about and what it draws on, in the snapshot at hand. Throws `no_such_person`. */
export async function readSubject(session: Session, of: PackageSubject): Promise<ReadSubject> {
  const tables = await readPackageTables(session, of);
  const [account] =
    of.kind === 'child'
      ? [{ language: of.language, zone: of.zone }]
      : await session.query<{ language: Language; zone: string }>(
          sql`select u.language, u.timezone::text as zone from public.users u where u.id = ${of.id}::uuid`,
        );
  if (account === undefined) {
    throw new NestctlError('There is no account with this id.', {
      kind: 'not_found',
      code: 'no_such_person',
      next: 'nestctl access open --help',
    });
  }
  return { subject: { person: of.id, subject_kind: of.kind, ...account }, tables };
}
