import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import sql, { join, type Sql } from 'sql-template-tag';
import { databaseError } from '../../platform/database/errors.js';
import type { Session } from '../../platform/database/session.js';
import { eventRelation } from '../event-columns.js';
import { aboutUser, type EventFilter, filterConditions } from '../event-filter.js';
import { logMark, Marks } from '../follow/log-mark.js';
import type { Place } from '../follow/place.js';
import { between } from '../follow/read-on.js';
import { knowNames } from '../known-names.js';
import { type ExportFormat, exportColumns } from './export-columns.js';
import { exportWindows } from './export-windows.js';
import { jsonArray } from './json-array.js';
import { settled } from './settled.js';

export interface ExportWish {
  readonly filter: EventFilter;
  readonly format: ExportFormat;
  /** Only what follows this place, in the order of transactions; else all, in the order of time. */
  readonly from?: Place | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Exported {
  readonly events: number;
  /** Behind the last transaction that is over, where `from` was given: nothing up to it comes again. */
  readonly place: Place | undefined;
}

/** Writes events as they come from the server; memory does not grow with them. */
export async function exportEvents(session: Session, wish: ExportWish, sink: Writable): Promise<Exported> {
  const exported =
    wish.from === undefined
      ? await exportAll(session, wish, sink)
      : await exportBehind(session, wish.from, wish, sink);
  if (exported.events === 0) await knowNames(session, wish.filter);
  return exported;
}

/** One snapshot, read window by window: each is sorted by itself, so that the first comes at once. */
async function exportAll(session: Session, wish: ExportWish, sink: Writable): Promise<Exported> {
  const write = writer(session, wish, sink);
  const events = await session.transaction(
    async () => {
      for (const window of await exportWindows(session, wish.filter))
        await write.copy(window, sql`e.occurred_at, e.id`);
      return await write.end();
    },
    { isolation: 'repeatable read', readOnly: true },
  );
  return { events, place: undefined };
}

async function exportBehind(
  session: Session,
  from: Place,
  wish: ExportWish,
  sink: Writable,
): Promise<Exported> {
  const write = writer(session, wish, sink);
  const mark = await logMark(session);
  const marks = new Marks();
  marks.add(mark);
  let place = from;
  const events = await session.transaction(
    async () => {
      for (let epoch = 0; epoch < place.epoch; place = marks.end(place, mark)) {
        epoch = place.epoch;
        await write.copy(between(place, mark), sql`e.xid, e.id`);
      }
      return await write.end();
    },
    { readOnly: true },
  );
  return { events, place };
}

function writer(session: Session, { filter, format, signal }: ExportWish, sink: Writable) {
  const { found, shown } = filterConditions(filter, session.duty);
  const columns = exportColumns(session.duty, format);
  const array = format === 'json' ? jsonArray() : undefined;
  let copies = 0;
  let events = 0;
  return {
    async copy(window: readonly Sql[], order: Sql): Promise<void> {
      const all = [...window, ...found, ...aboutUser(filter), ...shown];
      const rows = sql`select ${columns} from ${eventRelation(session.duty, filter.archived, true)} e where ${all.length === 0 ? sql`true` : join(all, ' and ')} order by ${order}`;
      const { text, settings } = settled(
        format === 'csv' ? rows : sql`select row_to_json(r) from (${rows}) r`,
      );
      if (settings.length > 0) {
        await session.query(
          sql`select ${join(settings.map(([name, value]) => sql`set_config(${name}, ${value}, true)`))}`,
        );
      }
      // Neither mark occurs in JSON, so that its lines come as they are.
      const how =
        format === 'csv'
          ? `format csv, header ${copies === 0}`
          : `format csv, quote E'\\x01', delimiter E'\\x02'`;
      const stream = session.client.query(copyTo(`copy (${text}) to stdout (${how})`));
      try {
        if (array === undefined) await pipeline(stream, sink, { end: false, signal });
        else await pipeline(stream, array.part(), sink, { end: false, signal });
      } catch (error) {
        throw databaseError(error, session.target);
      }
      copies++;
      events += stream.rowCount ?? 0;
    },
    async end(): Promise<number> {
      if (array !== undefined) await new Promise<void>((resolve) => sink.write(array.end(), () => resolve()));
      return events;
    },
  };
}
