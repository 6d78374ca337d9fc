import { wrapAnsi } from 'fast-wrap-ansi';
import { safeText } from '../safe-text.js';
import type { TreeNode, TreeView } from '../views.js';
import { printMark } from './cell.js';
import type { Page } from './page.js';

/** Below this many columns for the text itself, the terminal's own breaks read better than ours. */
const NARROWEST = 24;

/** A tree of lines. On a terminal what is longer goes on below its own text, so that the branches stay in sight. */
export function renderTree(view: TreeView, page: Page): string[] {
  return view.nodes.flatMap((node) => lines(node, page, '', ''));
}

/** `before` stands before the first line of the node, `below` before all that hangs under it. */
function lines(node: TreeNode, page: Page, before: string, below: string): string[] {
  const children = node.children ?? [];
  const hanging = below + (children.length > 0 ? '│ ' : '  ');
  const room = page.width === undefined ? 0 : page.width - hanging.length;
  const text = line(node, page);
  const [first = '', ...more] = room < NARROWEST ? [text] : wrapAnsi(text, room).split('\n');
  const branch = (shown: string) => (shown === '' ? '' : page.paint('muted', shown));
  return [
    branch(before) + first,
    ...more.map((rest) => branch(hanging) + rest),
    ...children.flatMap((child, at) =>
      at === children.length - 1
        ? lines(child, page, `${below}└ `, `${below}  `)
        : lines(child, page, `${below}├ `, `${below}│ `),
    ),
  ];
}

function line(node: TreeNode, page: Page): string {
  const mark = node.mark === undefined ? undefined : printMark(node.mark);
  return [
    ...(mark === undefined ? [] : [page.paint(mark.tone, mark.text)]),
    safeText(node.text),
    ...(node.note === undefined ? [] : [page.paint('muted', `← ${safeText(node.note)}`)]),
  ].join(' ');
}
