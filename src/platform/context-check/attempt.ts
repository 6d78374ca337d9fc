import { type Finding, finding } from '../doctor/finding.js';
import { NestctlError } from '../errors.js';

/**
 * The findings of a piece of work, or its failure as one: `unknown` where trouble that may pass kept us from
 * looking, `error` where something is wrong with the context.
 */
export async function attempt(name: string, work: () => Promise<Finding[] | string>): Promise<Finding[]> {
  try {
    const found = await work();
    return typeof found === 'string' ? [] : found;
  } catch (error) {
    if (!(error instanceof NestctlError)) throw error;
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    const level = PASSING.has(error.code) ? 'unknown' : 'error';
    return [
      finding(name, level, `${error.message}${hint}`, error.next === undefined ? {} : { remedy: error.next }),
    ];
  }
}

const PASSING = new Set([
  ...['server_unreachable', 'connection_lost', 'too_many_connections', 'server_starting'],
  ...['store_unreachable', 'store_failing', 'residency_unknown'],
  ...['mail_unreachable', 'mail_deferred'],
  ...['service_unreachable', 'service_failing'],
]);
