import { availableParallelism } from 'node:os';

/** How many test files run at once. */
export const workers = (): number => Math.min(availableParallelism(), 4);
