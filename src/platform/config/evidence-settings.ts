import { z } from 'zod';

/** `[contexts.NAME.evidence]` */
export const evidenceSettings = z.strictObject({
  /** Where signed records are kept; below the data folder when absent. */
  folder: z.string().min(1).optional(),
  /** How long the object store locks what is carried there. */
  retain_days: z.int().min(1).max(36_500).optional(),
});
