import { say } from '../../evidence/index.js';

/** Words of the review sheet. */
export const SHEET = {
  title: say('Review of a package', 'Révision d’un dossier'),
  lead: say(
    'Before it is made: what it gives, and what its person sees',
    'Avant sa production : ce qu’il remet, et ce que la personne voit',
  ),
  leadOf: (request: string) =>
    say(
      `Before it is made for ${request}: what it gives, and what its person sees`,
      `Avant sa production pour ${request} : ce qu’il remet, et ce que la personne voit`,
    ),
  package: say('The package', 'Le dossier'),
  person: say('Account', 'Compte'),
  child: say('Child', 'Enfant'),
  readAt: say('Read', 'Lu'),
  rows: say('Rows', 'Lignes'),
  severances: say('Places where others are replaced', 'Endroits où d’autres sont remplacés'),
  withheld: say('Rows withheld', 'Lignes retenues'),
  both: say('Both views', 'Les deux vues'),
  noAccount: say(
    'A child has no account: it sees nothing in the app, and there is no second view. What members of its family see, access matrix tells.',
    'Un enfant n’a pas de compte : il ne voit rien dans l’application, et il n’y a pas de seconde vue. Ce que voient les membres de sa famille, access matrix le dit.',
  ),
  explain: say(
    'The same data twice, from one snapshot: as the package gives it, and as row security shows it to the person in the app. Rows and columns are counted; nothing that stands in them is on this sheet.',
    'Les mêmes données deux fois, au même instant : telles que le dossier les remet, et telles que la sécurité des lignes les montre à la personne dans l’application. Les lignes et colonnes sont comptées; rien de leur contenu ne figure sur cette feuille.',
  ),
  same: say(
    'Of the tables that the app shows, the package gives the very rows that the person sees.',
    'Des tables que l’application montre, le dossier remet exactement les lignes que la personne voit.',
  ),
  unconnected: (rows: number) =>
    say(
      `The person sees ${rows} ${rows === 1 ? 'row' : 'rows'} that the data map connects with them in no way: row security shows too much, or the map knows too little.`,
      `La personne voit ${rows} ${rows === 1 ? 'ligne' : 'lignes'} que le registre des données ne relie d’aucune façon à elle : la sécurité des lignes montre trop, ou le registre en sait trop peu.`,
    ),
  givenAndSeen: say('Given and seen', 'Remis et vu'),
  givenUnseen: say('Given, unseen', 'Remis, non vu'),
  notInApp: say(
    'Given, of tables that the app never shows',
    'Remis, de tables que l’application ne montre jamais',
  ),
  seenNotGiven: say('Seen, not given', 'Vu, non remis'),
  notGivenIn: (rows: number) =>
    say(
      `Seen, not given in ${rows} ${rows === 1 ? 'row' : 'rows'}`,
      `Vu, non remis dans ${rows} ${rows === 1 ? 'ligne' : 'lignes'}`,
    ),
  tables: say('Tables in both views', 'Les tables dans les deux vues'),
  unseenRows: say(
    'Given, and unseen by the person in the app',
    'Remis, et non vu par la personne dans l’application',
  ),
  beyondRows: say(
    'Seen by the person in the app, and not given',
    'Vu par la personne dans l’application, et non remis',
  ),
  columns: say('Columns', 'Colonnes'),
  table: say('Table', 'Table'),
  column: say('Column', 'Colonne'),
  difference: say('Difference', 'Différence'),
  given: say('Given', 'Remis'),
  seen: say('Seen', 'Vu'),
  never: say('never', 'jamais'),
  family: say('Family', 'Famille'),
  why: say('Why', 'Pourquoi'),
  notReadable: say('members may not read it', 'les membres ne peuvent pas la lire'),
  aboutOthers: say(
    'there it is about somebody else (PIPEDA s. 9(1))',
    'elle y porte sur quelqu’un d’autre (LPRPDE, par. 9(1))',
  ),
  none: say('none', 'aucune'),
  foot: say(
    'For the officer who answers the request: not part of the package.',
    'À l’usage de la personne qui répond à la demande : ne fait pas partie du dossier.',
  ),
} as const;
