import { type Bounds, boundsOf } from './bounds.js';
import { type CompiledFilter, type CompileOptions, compileFilter } from './compile-filter.js';
import { type Filter, parseFilter } from './parse-filter.js';

/** A filter as a person wrote it, read and ready to be compiled for a duty. */
export interface Where {
  readonly text: string;
  /** Outside of which nothing matches. */
  readonly bounds: Bounds;
  compile(duty: string): CompiledFilter;
}

/** Throws `invalid_filter`, naming the place, before anything connects. */
export function readWhere(text: string, readTime: CompileOptions['readTime']): Where {
  const filter: Filter = parseFilter(text);
  const compile = (duty: string) => compileFilter(filter, { duty, readTime });
  compile('auditor');
  return { text, compile, bounds: boundsOf(filter, readTime) };
}
