import { NestctlError } from '../../platform/errors.js';

/** A fault of a filter that names its place: counted from 1 in the message, shown with a caret to a person. */
export function filterError(
  filter: string,
  at: number,
  message: string,
  more: {
    readonly hint?: string;
    readonly mistaken?: { readonly name: string; readonly among: readonly string[] };
    readonly notAllowed?: boolean;
  } = {},
): NestctlError {
  return new NestctlError(`--where, character ${at + 1}: ${message}`, {
    kind: more.notAllowed === true ? 'not_allowed' : 'usage',
    code: more.notAllowed === true ? 'duty_not_allowed' : 'invalid_filter',
    hint: more.hint,
    mistaken: more.mistaken,
    excerpt: { text: filter, at },
  });
}
