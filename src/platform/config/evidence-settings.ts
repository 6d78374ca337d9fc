import { z } from 'zod';

/** `[contexts.NAME.signing]`: where the private key is; a file of nestctl's own when absent. */
export const signingSettings = z
  .strictObject({
    key_file: z.string().min(1).optional(),
    key_command: z.array(z.string()).min(1).optional(),
  })
  .refine(
    ({ key_file, key_command }) => (key_file === undefined) !== (key_command === undefined),
    'name either key_file or key_command',
  );

/** `[contexts.NAME.evidence]`: where signed records are kept; below the data folder when absent. */
export const evidenceSettings = z.strictObject({ folder: z.string().min(1).optional() });
