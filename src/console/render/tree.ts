import { safeText } from '../safe-text.js';
import type { TreeNode, TreeView } from '../views.js';
import { printMark } from './cell.js';
import type { Page } from './page.js';

export function renderTree(view: TreeView, page: Page): string[] {
  return view.nodes.flatMap((node) => [line(node, page), ...branches(node.children ?? [], page, '')]);
}

function branches(nodes: readonly TreeNode[], page: Page, indent: string): string[] {
  return nodes.flatMap((node, at) => {
    const last = at === nodes.length - 1;
    return [
      page.paint('muted', `${indent}${last ? '└ ' : '├ '}`) + line(node, page),
      ...branches(node.children ?? [], page, `${indent}${last ? '  ' : '│ '}`),
    ];
  });
}

function line(node: TreeNode, page: Page): string {
  const mark = node.mark === undefined ? undefined : printMark(node.mark);
  return [
    ...(mark === undefined ? [] : [page.paint(mark.tone, mark.text)]),
    safeText(node.text),
    ...(node.note === undefined ? [] : [page.paint('muted', `← ${safeText(node.note)}`)]),
  ].join(' ');
}
