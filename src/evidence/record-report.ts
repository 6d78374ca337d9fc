import type { Envelope } from '../platform/signing/dsse.js';
import type { Block, Report, Value, Words } from './html/report.js';
import type { ListedRecord } from './list-records.js';
import type { ChainReport } from './verify-chain.js';

/** A record as a page for people: what it says, and what verifying its chain has found. */
export function recordReport(
  { listed, envelope }: { readonly listed: ListedRecord; readonly envelope: Envelope | undefined },
  verified: ChainReport,
): Report {
  const { id, record, kid, hash, number } = listed;
  const name = (en: string, fr: string): Words => ({ en, fr });
  const same = (text: string): Words => name(text, text);
  return {
    title: name(`Evidence record ${id}`, `Enregistrement de preuve ${id}`),
    lead:
      record === null
        ? undefined
        : name(`${record.type}, context ${record.context}`, `${record.type}, contexte ${record.context}`),
    sections: [
      {
        heading: name('Verification', 'Vérification'),
        blocks: [verdictOf(verified, number), ...faultTable(verified)],
      },
      ...(record === null
        ? []
        : [
            {
              heading: name('The record', 'L’enregistrement'),
              blocks: [
                {
                  kind: 'facts',
                  facts: [
                    [name('Made', 'Fait le'), new Date(record.made_at)],
                    [name('By', 'Par'), record.made_by],
                    [name('Context', 'Contexte'), record.context],
                    [name('Type', 'Type'), record.type],
                    [name('Place in the chain', 'Rang dans la chaîne'), number],
                  ],
                } satisfies Block,
                {
                  kind: 'table',
                  caption: name('What it is about', 'Objet'),
                  columns: [{ heading: name('Name', 'Nom') }, { heading: same('SHA-256') }],
                  rows: record.subject.map(({ name: thing, sha256 }) => [thing, sha256]),
                  empty: name('Nothing', 'Rien'),
                } satisfies Block,
              ],
            },
            {
              heading: name('What it says', 'Contenu'),
              blocks: [contentBlock(record.content)],
            },
          ]),
      {
        heading: name('Seal', 'Sceau'),
        blocks: [
          {
            kind: 'facts',
            facts: [
              [name('Signing key', 'Clé de signature'), kid],
              [name('SHA-256 of the record', 'SHA-256 de l’enregistrement'), hash],
              [name('Follows the record', 'Suit l’enregistrement'), record?.previous ?? null],
              [name('Signature', 'Signature'), envelope?.signatures[0]?.sig.toString('base64') ?? null],
            ],
          },
        ],
      },
    ],
    foot: name(
      'This page is a reading of the record and proves nothing by itself. The record is verified with the public key: node bin/verify.js.',
      'Cette page présente l’enregistrement et ne prouve rien en soi. L’enregistrement se vérifie avec la clé publique\u00a0: node bin/verify.js.',
    ),
  };
}

function verdictOf({ faults, doubts, size, chain }: ChainReport, number: number): Block {
  const own = faults.filter((fault) => fault.number === number);
  if (own.length > 0) {
    return {
      kind: 'verdict',
      verdict: 'bad',
      text: { en: 'this record does not verify.', fr: 'la vérification de cet enregistrement échoue.' },
    };
  }
  if (faults.length > 0) {
    return {
      kind: 'verdict',
      verdict: 'bad',
      text: {
        en: `this record is as it was signed, but its chain ${chain} does not verify.`,
        fr: `cet enregistrement est tel que signé, mais la vérification de sa chaîne ${chain} échoue.`,
      },
    };
  }
  if (doubts.some((doubt) => doubt.number === number)) {
    return {
      kind: 'verdict',
      verdict: 'unknown',
      text: {
        en: 'signed with a key that was stolen later; only its signer says that it was made before.',
        fr: 'signé avec une clé volée par la suite; seul le signataire affirme qu’il a été fait avant le vol.',
      },
    };
  }
  return {
    kind: 'verdict',
    verdict: 'good',
    text: {
      en: `signed, and in its place in the chain ${chain} of ${size}.`,
      fr: `signé, et à sa place dans la chaîne ${chain}, qui en compte ${size}.`,
    },
  };
}

function faultTable({ faults }: ChainReport): Block[] {
  if (faults.length === 0) return [];
  return [
    {
      kind: 'table',
      caption: { en: 'What is wrong', fr: 'Ce qui ne va pas' },
      columns: [
        { heading: { en: 'Record', fr: 'Enregistrement' } },
        { heading: { en: 'Kind', fr: 'Nature' } },
        { heading: { en: 'Detail (in English)', fr: 'Détail (en anglais)' } },
      ],
      rows: faults.map(({ number, kind, detail }): Value[] => [number, kind, detail]),
      empty: { en: 'Nothing', fr: 'Rien' },
    },
  ];
}

/** Every leaf of the content with its path, since its shape is the domain's own. */
function contentBlock(content: Readonly<Record<string, unknown>>): Block {
  return {
    kind: 'table',
    caption: { en: 'Content, field by field', fr: 'Contenu, champ par champ' },
    columns: [{ heading: { en: 'Field', fr: 'Champ' } }, { heading: { en: 'Value', fr: 'Valeur' } }],
    rows: leaves(content, ''),
    empty: { en: 'It says nothing more.', fr: 'Rien de plus.' },
  };
}

function leaves(value: unknown, path: string): Value[][] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => leaves(item, path === '' ? key : `${path}.${key}`));
  }
  return [
    [path, typeof value === 'number' || typeof value === 'boolean' || value === null ? value : String(value)],
  ];
}
