import Table from 'cli-table3';
import widthOf from 'fast-string-width';

/** Stands for a column of a cell while the library lines cells up: it miscounts emoji and several scripts. */
const HOLE = '\ue000';

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
  const cells = rows.flat().filter((cell) => widthOf(cell) > 0);
  grid.push(...rows.map((row) => row.map((cell) => HOLE.repeat(widthOf(cell)))));
  const lines = grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  const width = Math.max(...lines.map((line) => line.length));
  let at = 0;
  return { lines: lines.map((line) => line.replace(/\ue000+/g, () => cells[at++] ?? '')), width };
}
