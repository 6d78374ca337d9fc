/** First lines of every document that `nestctl db docs` writes. */
export function title(name: string, about: string): string {
  return `# ${name}\n\n<!-- Written by \`nestctl db docs\` from the live catalogue. Do not edit. -->\n\n${about}\n`;
}

/** A table; `|` and line breaks in cells are made harmless. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}

export function code(text: string | null): string {
  return text === null || text === '' ? '' : `\`${text}\``;
}

export function sqlBlock(lines: readonly string[]): string {
  return `\`\`\`sql\n${lines.join('\n')}\n\`\`\`\n`;
}

/** Sections of a document, one empty line between them. */
export function paragraphs(...parts: readonly (string | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined && part !== '')
    .map((part) => (part as string).trimEnd())
    .join('\n\n')
    .concat('\n');
}

export function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups];
}
