import { describe, expect, it } from 'vitest';
import { render } from '../../src/console/render/index.js';
import type { Page } from '../../src/console/render/page.js';
import {
  bars,
  type Column,
  details,
  heading,
  table,
  text,
  toned,
  tree,
  type View,
} from '../../src/console/views.js';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly count: number;
}
const ROWS: Row[] = [
  { id: '9f3a', name: 'Tremblay', count: 4 },
  { id: '5c1e', name: 'MacDonald', count: 12 },
];
const COLUMNS: Column<Row>[] = [
  { name: 'id', value: (row) => row.id },
  { name: 'name', value: (row) => toned('good', row.name) },
  { name: 'count', value: (row) => row.count, align: 'right', keep: true },
  { name: 'double', value: (row) => row.count * 2, extra: true },
];

function draw(view: View | readonly View[], page: Partial<Page> = {}): { screen: string; notes: string[] } {
  const notes: string[] = [];
  const note = (line: string) => notes.push(line);
  const screen = render(view, { width: undefined, zone: 'UTC', paint: (_, line) => line, note, ...page });
  return { screen, notes };
}

describe('a table', () => {
  it('lines up, numbers to the right, without trailing blanks', () => {
    expect(draw(table(ROWS, COLUMNS, 'None.')).screen).toBe(
      ['ID    NAME       COUNT', '9f3a  Tremblay       4', '5c1e  MacDonald     12', ''].join('\n'),
    );
  });

  it('says so where it is empty', () => {
    expect(draw(table([], COLUMNS, 'No family matches.')).screen).toBe('No family matches.\n');
  });

  it('drops columns from the right when narrow, but not the first nor a kept one', () => {
    const { screen, notes } = draw(table(ROWS, COLUMNS, 'None.'), { width: 14 });
    expect(screen.split('\n')[0]).toBe('ID    COUNT');
    expect(notes).toEqual(['not shown for want of width: name (see --columns)']);
  });

  it('turns into records of every column where even that is too wide, and cuts nothing', () => {
    const { screen } = draw(table(ROWS, COLUMNS, 'None.'), { width: 8 });
    const records = [
      ['id     9f3a', 'name   Tremblay', 'count  4', ''],
      ['id     5c1e', 'name   MacDonald', 'count  12', ''],
    ];
    expect(screen).toBe(records.flat().join('\n'));
  });

  it('shows the columns asked for, in that order, extra ones too', () => {
    const { screen } = draw(table(ROWS, COLUMNS, 'None.'), { columns: ['double', 'id'] });
    expect(screen.split('\n')[2]).toBe('24      5c1e');
  });

  it('colours cells and nothing else', () => {
    const { screen } = draw(table(ROWS, COLUMNS, 'None.'), {
      paint: (tone, line) => (tone === 'good' ? `<${line}>` : line),
    });
    expect(screen.match(/<\w+>/g)).toEqual(['<Tremblay>', '<MacDonald>']);
  });

  it('counts the cells of a terminal, not code units', () => {
    const rows = [{ id: '家族', name: 'Nguyễn', count: 1 }, ...ROWS];
    const lines = draw(table(rows, COLUMNS, 'None.')).screen.split('\n');
    expect(lines[1]).toBe('家族  Nguyễn         1');
  });

  it.each([
    ['combining marks', 'e\u0301tat', 4],
    ['an emoji of several', '👨‍👩‍👧‍👦', 2],
    ['an emoji newer than the table library', '🫠', 2],
    ['a flag', '🇨🇦', 2],
    ['wide letters', '家族ｗ', 6],
    ['vowel points', 'עִבְ', 2],
    ['Thai', 'ที่', 1],
  ])('gives %s the room that they take', (_, name, width) => {
    const rows = [{ id: 'a', name, count: 1 }, ...ROWS];
    const [head = '', line = ''] = draw(table(rows, COLUMNS, 'None.')).screen.split('\n');
    // What stands right of the name stands in line with its heading, whose letters are all one wide.
    const after = line.slice(line.indexOf(name) + name.length, line.lastIndexOf('1'));
    expect(head.indexOf('COUNT') + 'COUNT'.length - 1).toBe('a     '.length + width + after.length);
  });
});

describe('other views', () => {
  it('show labels and values, times in the zone, nothing as a dash', () => {
    const view = details({ at: new Date(0), on: true, off: false, missing: null, left_out: undefined });
    expect(draw(view).screen).toBe(
      ['at       1970-01-01 00:00:00 +00:00', 'on       yes', 'off      no', 'missing  –', ''].join('\n'),
    );
  });

  it('break the lines of a tree below their own text on a narrow terminal, and nowhere else', () => {
    const note = 'the smallest missing fact of all those that are missing here';
    const view = tree({
      text: 'Grandma cannot see the log of the baby',
      mark: 'bad',
      children: [{ text: 'membership expired', mark: 'bad', note }, { text: 'role' }],
    });
    expect(draw(view, { width: 32 }).screen).toBe(
      [
        '✗ Grandma cannot see the log',
        '│ of the baby',
        '├ ✗ membership expired ← the',
        '│   smallest missing fact of all',
        '│   those that are missing here',
        '└ role',
        '',
      ].join('\n'),
    );
    expect(draw(view, { width: 20 }).screen.split('\n')).toHaveLength(4);
    expect(draw(view).screen).toContain(`membership expired ← ${note}\n`);
  });

  it('draw a tree with marks and notes', () => {
    const view = tree({
      text: 'cannot SELECT',
      mark: 'bad',
      children: [
        { text: 'grant', mark: 'good' },
        {
          text: 'policy',
          mark: 'bad',
          children: [{ text: 'expired', mark: 'bad', note: 'the smallest missing fact' }],
        },
      ],
    });
    expect(draw(view).screen).toBe(
      ['✗ cannot SELECT', '├ ✓ grant', '└ ✗ policy', '  └ ✗ expired ← the smallest missing fact', ''].join(
        '\n',
      ),
    );
  });

  it('draw bars to the largest value, none for nothing', () => {
    const { screen } = draw(
      bars([
        { label: 'w1', value: 40 },
        { label: 'w2', value: 10, text: '10 a day' },
        { label: 'w3', value: 0 },
      ]),
    );
    const lengths = screen.split('\n').map((line) => line.match(/█/g)?.length ?? 0);
    expect(lengths.slice(0, 3)).toEqual([40, 10, 0]);
    expect(draw(bars([{ label: 'w1', value: 0 }])).screen).toBe('w1  0\n');
    expect(draw(bars([])).screen).toBe('');
  });

  it('make everything in them harmless', () => {
    const evil = '\u001b[31m\u202e\n';
    const views = [
      table([{ id: evil, name: evil, count: 1 }], COLUMNS, evil),
      details({ [evil]: evil }),
      tree({ text: evil, note: evil }),
      bars([{ label: evil, value: 1, text: evil }]),
      text(evil),
      heading(evil),
    ];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(draw(views).screen).not.toMatch(/[\u001b\u202e]/);
    expect(draw(table([], COLUMNS, 'None.'), { width: 1 }).screen).toBe('None.\n');
  });
});
