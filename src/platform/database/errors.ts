import { NestctlError } from '../errors.js';
import { networkError } from './network-errors.js';
import { serverError } from './server-errors.js';
import type { ConnectionTarget } from './target.js';

/** What PostgreSQL says with an error, as far as we may repeat it: DETAIL and WHERE hold row data. */
export interface ServerError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly routine?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
}

/**
 * Any error of the driver as a plain sentence with a hint and the next command. A NestctlError passes
 * through; what is neither PostgreSQL's nor the network's is a defect of ours and passes through too.
 * The driver's error is not kept as the cause: it holds row data.
 */
export function databaseError(error: unknown, target: ConnectionTarget): unknown {
  if (error instanceof NestctlError) return error;
  if (isServerError(error)) return serverError(error, target);
  if (error instanceof Error) return networkError(error, target) ?? error;
  return error;
}

function isServerError(error: unknown): error is ServerError {
  return (
    error instanceof Error &&
    'severity' in error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code)
  );
}
