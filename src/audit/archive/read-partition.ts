import { ByteBuilder } from '../../platform/byte-builder.js';
import { collectGarbage } from '../../platform/collect-garbage.js';
import type { Session } from '../../platform/database/session.js';
import { copyRows } from '../copy-rows.js';
import { asTime } from '../microseconds.js';
import { entryOf, type PersonalParts, skeletonOf } from './archived-event.js';
import type { Month } from './month.js';

/** The events of one pair of objects, as lines of JSON, and what the tree has of each; until the next is asked for. */
export interface Chunk {
  /** 1, 2, 3 … */
  readonly number: number;
  readonly events: number;
  /** Microseconds since 2000-01-01. */
  readonly first_at: string;
  readonly last_at: string;
  readonly skeleton: Buffer;
  readonly personal: Buffer;
  /** The entry of each, 30 bytes, and its leaf, 32. */
  readonly leaves: Buffer;
}

/** Events are asked for so many at once, and put together until there are enough, or enough bytes. */
const PAGE = 512;
const EVENTS = 2048;
const BYTES = 2 * 1024 * 1024;

/**
 * The events of a month in the order of time, cut always at the same places, since what they are cut by never changes.
 * Memory does not grow with them. Throws `log_edited`.
 */
export async function* readPartition(session: Session, month: Month): AsyncGenerator<Chunk> {
  const skeleton = new ByteBuilder();
  const personal = new ByteBuilder();
  const leaves = new ByteBuilder();
  let after: readonly [at: string | bigint, id: string] = [month.from, '0'];
  for (let number = 1; ; number += 1) {
    for (const builder of [skeleton, personal, leaves]) builder.start();
    let first = '';
    let last = '';
    let events = 0;
    let bytes = 0;
    let full = true;
    while (full && events < EVENTS && bytes < BYTES) {
      let rows = 0;
      await copyRows(
        session,
        `select clear::text, erased_hashes::text, personal::text, leaf
         from audit.archivable_events('${month.category}', ${asTime(month.to)}, ${asTime(after[0])}, ${after[1]}, ${PAGE})`,
        ([clear, erased, parts, leaf]) => {
          if (clear == null || parts == null || leaf == null) return;
          rows += 1;
          const own: PersonalParts = JSON.parse(parts.toString('utf8'));
          const bone = skeletonOf(
            JSON.parse(clear.toString('utf8')),
            own,
            erased == null ? null : JSON.parse(erased.toString('utf8')),
            leaf,
          );
          skeleton.text(`${JSON.stringify(bone)}\n`);
          personal.text(`${JSON.stringify(own)}\n`);
          leaves.raw(entryOf(bone)).raw(leaf);
          if (events === 0) first = bone.occurred_at;
          last = bone.occurred_at;
          events += 1;
          // Which events share an object must not depend on what an erasure takes away.
          bytes += clear.length;
          after = [bone.occurred_at, bone.id];
        },
      );
      full = rows === PAGE;
    }
    if (events > 0) {
      yield {
        number,
        events,
        first_at: first,
        last_at: last,
        skeleton: skeleton.bytes(),
        personal: personal.bytes(),
        leaves: leaves.bytes(),
      };
    }
    if (!full) return;
    collectGarbage();
  }
}
