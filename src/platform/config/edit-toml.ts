import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'smol-toml';
import type { ContextFile } from './schema.js';

/**
 * The text of a context file with `before` changed to `after` and every other line, comments too, as it was: the
 * TOML library does not keep them. What it gives back must be parsed and compared by the caller, since tables can
 * be written in ways that are not looked for here.
 */
export function editToml(text: string, before: ContextFile, after: ContextFile): string {
  const names = new Set([...Object.keys(before.contexts), ...Object.keys(after.contexts)]);
  const changed = [...names].filter(
    (name) => !isDeepStrictEqual(before.contexts[name], after.contexts[name]),
  );
  const kept = withoutTables(text.split('\n'), new Set(changed));
  const lines = before.current === after.current ? kept : withCurrent(kept, after.current);
  const added = changed.flatMap((name) => {
    const settings = after.contexts[name];
    return settings === undefined ? [] : [stringify({ contexts: { [name]: settings } })];
  });
  return [lines.join('\n').trimEnd(), ...added.map((table) => table.trim())].join('\n\n').trim().concat('\n');
}

/** Leaves out the tables of these contexts, with the comments in them and right above their first line. */
function withoutTables(lines: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  // Comments not yet known to belong to a table that stays.
  let comments: string[] = [];
  let left = false;
  for (const line of lines) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line)?.[1];
    if (header !== undefined) {
      left = names.has(contextOf(header) ?? '');
      if (!left) kept.push(...comments);
      comments = [];
    }
    if (/^\s*#/.test(line)) comments.push(line);
    else {
      // Comments that something else than a table follows belong to what is around them.
      if (!left) kept.push(...comments, line);
      comments = [];
    }
  }
  return left ? kept : [...kept, ...comments];
}

/** `prod` of `contexts.prod`, `contexts."prod".owner`. */
function contextOf(header: string): string | undefined {
  const match = /^contexts\s*\.\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*(?:\.|$)/.exec(header);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}

function withCurrent(lines: readonly string[], current: string | undefined): string[] {
  const line = current === undefined ? [] : [`current = ${JSON.stringify(current)}`];
  const firstTable = lines.findIndex((one) => /^\s*\[/.test(one));
  const end = firstTable < 0 ? lines.length : firstTable;
  const there = lines.findIndex((one, at) => at < end && /^\s*current\s*=/.test(one));
  if (there >= 0) return [...lines.slice(0, there), ...line, ...lines.slice(there + 1)];
  // After the remarks at the top, before the comment of the first table.
  let at = end;
  while (at > 0 && lines[at - 1]?.trimStart().startsWith('#')) at -= 1;
  if (at === 0) at = end;
  return [...lines.slice(0, at), ...line, ...(line.length > 0 ? [''] : []), ...lines.slice(at)];
}
