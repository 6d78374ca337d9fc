import { type Column, toned } from './views.js';

interface Entered {
  readonly record: string;
  readonly request: string;
  readonly ground: string;
  readonly scheduled: string;
  readonly entered_at: Date;
  readonly entered_by: string;
  readonly families: number;
  readonly identifiers: number;
  readonly database: string;
}

export const LEDGER_COLUMNS: readonly Column<Entered>[] = [
  { name: 'record', value: ({ record }) => record },
  { name: 'request', value: ({ request }) => request, keep: true },
  { name: 'entered', value: ({ entered_at }) => entered_at },
  { name: 'by', value: ({ entered_by }) => entered_by },
  { name: 'ground', value: ({ ground }) => ground },
  { name: 'scheduled', value: ({ scheduled }) => scheduled, extra: true },
  { name: 'families', value: ({ families }) => families, align: 'right' },
  { name: 'known by', value: ({ identifiers }) => identifiers, align: 'right' },
  {
    name: 'in the database',
    value: ({ database }) => (database === 'same' ? toned('good', database) : toned('bad', database)),
    raw: ({ database }) => database,
    keep: true,
  },
];
