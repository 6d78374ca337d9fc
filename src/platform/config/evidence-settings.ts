import { z } from 'zod';

/** `[contexts.NAME.evidence]`: where signed records are kept; below the data folder when absent. */
export const evidenceSettings = z.strictObject({ folder: z.string().min(1).optional() });
