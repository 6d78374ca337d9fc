import type { Connection } from '../../platform/database/connection.js';
import { type Month, monthOf } from '../archive/month.js';

/** A month whose events are dropped because its years are over, or are about to be. */
export interface Pruning {
  readonly id: string;
  readonly month: Month;
  /** Of a month that lies in the object store. */
  readonly archive: string | null;
  readonly years: number;
  /** The end of the month and its years. */
  readonly kept_until: Date;
  readonly cut_off: Date;
  /** The leaves of its month from here up to `tree_size` are those whose events go. */
  readonly tree_from: number;
  readonly tree_size: number;
  readonly events: number;
  readonly first_leaf: number;
  readonly last_leaf: number;
  /** SHA-256 over those leaves as of an archive's, hex. */
  readonly leaves: string;
  readonly approval: string;
  /** The signed record, a DSSE envelope. */
  readonly record: string | null;
  readonly dropped_at: Date | null;
}

type Row = Omit<Pruning, 'month'> & { readonly category: string; readonly month: string };

const COLUMNS = `id, category::text, month::text, archive_id as archive, years, kept_until, cut_off, tree_from::float8, tree_size::float8, events::float8,
  first_leaf::float8, last_leaf::float8, leaves, approval_id as approval, record, dropped_at`;

const pruningOf = ({ category, month, ...rest }: Row): Pruning => ({
  ...rest,
  month: monthOf(category, month),
});

/** In the order in which they were begun. */
export async function readPrunings(connection: Connection): Promise<Pruning[]> {
  const rows = await connection.query<Row>(
    `select ${COLUMNS} from audit.prunings order by cut_off, month, category, id`,
  );
  return rows.map(pruningOf);
}

/** One on its way; `held`: why it stays all the same. */
export interface OpenPruning extends Pruning {
  readonly held: string | null;
}

export async function openPrunings(connection: Connection): Promise<OpenPruning[]> {
  const open = (await readPrunings(connection)).filter(({ dropped_at }) => dropped_at === null);
  const holds = await connection.query<{ held: string | null }>(
    `select audit.retention_hold(m.category::audit.category, m.month::date) as held
     from unnest($1::text[], $2::text[]) with ordinality m (category, month, at) order by m.at`,
    [open.map(({ month }) => month.category), open.map(({ month }) => month.month)],
  );
  return open.map((pruning, at) => ({ ...pruning, held: holds[at]?.held ?? null }));
}
