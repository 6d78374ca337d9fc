import { type Column, type TableView, type TreeNode, table } from './views.js';

interface ChainReport {
  readonly chain: string;
  readonly size: number;
  readonly head: { readonly size: number; readonly hash: string } | null;
  readonly faults: readonly {
    readonly kind: string;
    readonly number: number | null;
    readonly detail: string;
  }[];
  readonly doubts: readonly { readonly number: number; readonly detail: string }[];
}

interface Told {
  readonly chain: string;
  readonly record: number | null;
  readonly verdict: 'fault' | 'doubt';
  readonly kind: string;
  readonly detail: string;
}

export const FAULT_COLUMNS: readonly Column<Told>[] = [
  { name: 'chain', value: ({ chain }) => chain },
  { name: 'record', value: ({ record }) => record },
  { name: 'verdict', value: ({ verdict }) => verdict },
  { name: 'kind', value: ({ kind }) => kind },
  { name: 'detail', value: ({ detail }) => detail },
];

/** What is wrong or unproven in the chains, a row each. */
export function chainTable(chains: readonly ChainReport[]): TableView {
  return table(chains.flatMap(toldOf), FAULT_COLUMNS, 'Nothing is wrong or unproven.');
}

function toldOf({ chain, faults, doubts }: ChainReport): Told[] {
  return [
    ...faults.map(
      ({ kind, number, detail }): Told => ({ chain, record: number, verdict: 'fault', kind, detail }),
    ),
    ...doubts.map(
      ({ number, detail }): Told => ({ chain, record: number, verdict: 'doubt', kind: 'unproven', detail }),
    ),
  ];
}

export function chainNode({ chain, size, head, faults, doubts }: ChainReport): TreeNode {
  const told = [
    ...faults.map(({ kind, number, detail }) => ({
      text: number === null ? kind : `${kind}: record ${number}`,
      mark: 'bad' as const,
      note: detail,
    })),
    ...doubts.map(({ number, detail }) => ({
      text: `unproven: record ${number}`,
      mark: 'unknown' as const,
      note: detail,
    })),
  ];
  return {
    text: `${chain}: ${size}`,
    mark: told[0]?.mark ?? ('good' as const),
    note: head === null ? 'empty' : `${chain}:${head.size}:${head.hash}`,
    children: told,
  };
}
