import { NestctlError } from '../../../platform/errors.js';
import { call, type Service } from '../../../platform/http/index.js';
import type { OutsideAdapter, OutsideAnswer } from './adapter.js';

const OUTCOMES: readonly unknown[] = ['erased', 'not_held', 'kept'];

/**
 * A service of our own that knows how somebody is erased at a provider: it is sent `{request, recipient, identifiers}`, under
 * the same Idempotency-Key at every try, and answers 200 `{outcome, reference}`, or 202 while it works on it.
 */
export const webhook =
  (service: Service): OutsideAdapter =>
  async ({ number, recipient, erasure, handles, signal }) => {
    const { status, body } = await call(service, {
      method: 'POST',
      path: '',
      body: { request: number, recipient, identifiers: handles },
      headers: { 'idempotency-key': `${erasure}:${recipient}` },
      signal,
    });
    if (status === 202) return undefined;
    const { outcome, reference } = (body ?? {}) as Record<string, unknown>;
    if (!OUTCOMES.includes(outcome) || typeof reference !== 'string' || reference.trim().length < 3) {
      throw new NestctlError(`${service.name} does not say what became of it.`, {
        kind: 'failure',
        code: 'service_garbled',
        hint: 'It has to answer {"outcome": "erased", "not_held" or "kept", "reference": "…"}.',
      });
    }
    return { outcome: outcome as OutsideAnswer['outcome'], reference: reference.slice(0, 200) };
  };
