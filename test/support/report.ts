import type { Report, Words } from '../../src/evidence/html/report.js';

const both = (en: string, fr: string): Words => ({ en, fr });

/** What people, children and spreadsheets have been named. */
export const HOSTILE = [
  '<script>window.broken = 1</script>',
  '"><img src="http://192.0.2.1/x" onerror="window.broken = 2">',
  "' onmouseover='window.broken = 3",
  '</style><style>@import "http://192.0.2.1/y";</style>',
  '</title></svg><svg onload="window.broken = 4">',
  '\u202egnp.exe\u202c \u2066عائلة\u2069',
  'עדן كريم',
  '=cmd|"/c calc"!A1',
  'x'.repeat(10_000),
  '&lt;b&gt; &#60;',
  'a\0b\u001b[31m',
  '👩\u200d👧',
];

/** A report with every kind of block, filled with the worst data. */
export const EVERYTHING: Report = {
  title: both('Restore drill', 'Exercice de restauration'),
  lead: both('November 2026', 'Novembre 2026'),
  sections: [
    {
      heading: both('Verdict', 'Verdict'),
      blocks: [
        { kind: 'verdict', verdict: 'good', text: both('within four hours.', 'en moins de quatre heures.') },
        { kind: 'verdict', verdict: 'bad', text: both('a segment is missing.', 'il manque un segment.') },
        { kind: 'verdict', verdict: 'unknown', text: both('not measured.', 'non mesuré.') },
        {
          kind: 'text',
          text: both('The whole drill took eleven minutes.', 'L’exercice a duré onze minutes.'),
        },
        {
          kind: 'facts',
          facts: [
            [both('Started', 'Début'), new Date(Date.UTC(2026, 10, 20, 18, 30))],
            [both('Rows', 'Lignes'), 1_234_567],
            [both('Encrypted', 'Chiffré'), true],
            [both('Region', 'Région'), null],
            [both('Family', 'Famille'), HOSTILE[0] ?? ''],
          ],
        },
      ],
    },
    {
      heading: both('Figures', 'Chiffres'),
      blocks: [
        {
          kind: 'bars',
          caption: both('Minutes by phase', 'Minutes par phase'),
          unit: both('Minutes', 'Minutes'),
          axis: both('Phase', 'Phase'),
          points: HOSTILE.slice(0, 5).map((label, at) => ({ label, value: at * 3.5 })),
        },
        {
          kind: 'line',
          caption: both('Recovery time by drill', 'Temps de reprise par exercice'),
          unit: both('Minutes', 'Minutes'),
          axis: both('Month', 'Mois'),
          points: ['2026-08', '2026-09', '2026-10', '2026-11'].map((label, at) => ({
            label,
            value: 11 + at ** 2,
          })),
        },
        {
          kind: 'table',
          caption: both('Names', 'Noms'),
          columns: [
            { heading: both('Name', 'Nom') },
            { heading: both('Length', 'Longueur'), align: 'right' },
          ],
          rows: HOSTILE.map((name) => [name, name.length]),
          empty: both('None', 'Aucun'),
        },
        {
          kind: 'table',
          caption: both('Faults', 'Défauts'),
          columns: [{ heading: both('Fault', 'Défaut') }],
          rows: [],
          empty: both('None.', 'Aucun.'),
        },
        { kind: 'code', label: both('To verify', 'Pour vérifier'), text: `node bin/verify.js ${HOSTILE[0]}` },
      ],
    },
  ],
};
