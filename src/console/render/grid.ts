import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export interface Grid {
  readonly lines: string[];
  /** Columns of the terminal that the longest line takes. */
  readonly width: number;
}

/** Lines up cells that are already harmless and coloured. The library's own colours are off: it colours pipes too. */
export function layOut(
  rows: readonly (readonly string[])[],
  aligns: readonly ('left' | 'right')[] = [],
): Grid {
  if (rows.length === 0) return { lines: [], width: 0 };
  const grid = new Table({
    chars: NO_LINES,
    colAligns: [...aligns],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  grid.push(...rows.map((row) => [...row]));
  const lines = grid.toString().split('\n');
  return {
    lines: lines.map((line) => line.trimEnd()),
    // The library's own width counts the escape codes of colours as columns.
    width: stripVTControlCharacters(lines[0] ?? '').length,
  };
}
