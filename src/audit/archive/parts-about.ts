import type { PersonalParts, Skeleton } from './archived-event.js';
import type { DueErasure } from './erase-archived.js';

/** The parts of an archived event that an erasure takes: as audit.parts_about and audit.erase_subject decide it. */
export function partsAbout(
  event: PersonalParts,
  { table_name, named_columns = [] }: Pick<Skeleton, 'table_name' | 'named_columns'>,
  erasure: Pick<DueErasure, 'person' | 'families' | 'names' | 'readings'>,
): number[] {
  const { person, families, names, readings } = erasure;
  const ofFamily = event.family_id !== undefined && families.includes(event.family_id);
  const wasAsked = table_name === 'audit.readings' && readings.includes(event.record_id ?? '');
  const names_ = (text: string | null | undefined) =>
    text != null && (text === person || names.includes(text));
  return [
    ...(event.app_user === person ? [1] : []),
    ...(event.subject_user === person || ofFamily || wasAsked ? [2] : []),
    ...named_columns.flatMap((_, at) =>
      ofFamily || names_(event.named_old?.[at]) || names_(event.named_new?.[at]) ? [4 + at] : [],
    ),
  ];
}

/** Takes one part and its salt out of an event, as audit.without_part does; false where it is absent or gone already. */
export function erasePart(event: PersonalParts, part: number, request: string): boolean {
  if (event.salts[part - 1] == null) return false;
  event.erased_requests ??= event.salts.map(() => null);
  event.erased_requests[part - 1] = request;
  event.salts[part - 1] = null;
  if (part === 1) delete event.app_user;
  else if (part === 2) {
    for (const field of ['family_id', 'subject_user', 'record_id', 'record_key'] as const)
      delete event[field];
    for (const field of ['changed_columns', 'old_row', 'new_row'] as const) delete event[field];
  } else if (part === 3) {
    delete event.reason;
    delete event.ticket;
  } else {
    for (const list of [event.named_old, event.named_new]) if (list != null) list[part - 4] = null;
  }
  return true;
}
