import { nearest } from '../suggest.js';

/** A value that is none of those a flag knows. oclif makes a usage error of it; the hint lists them. */
export class FlagError extends Error {
  readonly code = 'unknown_column';
  readonly hint: string;

  constructor(message: string, typed: string, known: readonly string[]) {
    super(message);
    const meant = nearest(typed, known);
    this.hint = `${meant === undefined ? '' : `Did you mean ${meant}? `}Columns: ${known.join(', ')}.`;
  }
}
