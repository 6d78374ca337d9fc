import type { Context } from '../platform/config/contexts.js';
import { type EvidencePlaces, evidencePlaces } from '../platform/config/evidence-places.js';
import { folderStore } from './folder-store.js';
import type { RecordStore } from './record-store.js';

/** The evidence of a context, and who is at work on it. */
export interface Evidence {
  readonly store: RecordStore;
  readonly places: EvidencePlaces;
  readonly context: string;
  readonly operator: string;
}

/** The evidence of a context, kept in its folder unless another store is given. Touches nothing yet. */
export function openEvidence(context: Context, store?: RecordStore): Evidence {
  const places = evidencePlaces(context);
  return {
    store: store ?? folderStore(places.records),
    places,
    context: context.name,
    operator: context.user,
  };
}
