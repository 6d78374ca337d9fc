import { say, type Words } from '../../evidence/index.js';
import { ACCOUNT, grouped } from './account-words.js';
import type { Origin } from './package-tables.js';

export const PAGE = {
  title: say('Your personal information', 'Vos renseignements personnels'),
  childTitle: say('Personal information of a child', 'Renseignements personnels d’un enfant'),
  childExplain: say(
    'This is what NestSync holds about the child, given to you as its guardian on record. Nothing of your own account is in here, nor of anybody else.',
    'Voici ce que NestSync détient au sujet de l’enfant, remis à vous qui êtes inscrit comme son tuteur. Rien n’y vient de votre propre compte ni d’une autre personne.',
  ),
  lead: (request: string) => say(`Answer to your request ${request}`, `Réponse à votre demande ${request}`),
  about: say('About this package', 'À propos de cet envoi'),
  ownExplain: say('This is what NestSync holds about you.', 'Voici ce que NestSync détient à votre sujet.'),
  explain: say(
    'Each table is here twice, as JSON and as CSV, with a description of its columns in the folder schema; this page shows the first rows. What was provided, what others told us, what was observed, what was worked out and what we assigned are in folders of their own; the folder account tells who used it, to whom it was given, and what you asked. Where a cell of a CSV file begins with an apostrophe, it was put there so that no spreadsheet runs the cell.',
    'Chaque table y figure deux fois, en JSON et en CSV, et le dossier schema en décrit les colonnes; cette page en montre les premières lignes. Ce qui a été fourni, ce que d’autres ont dit, ce qui a été observé, ce qui a été déduit et ce que nous avons attribué se trouvent dans des dossiers distincts; le dossier account dit qui s’en est servi, à qui ils ont été communiqués et ce que vous avez demandé. Une apostrophe au début d’une cellule CSV empêche un tableur de l’exécuter.',
  ),
  portable: say(
    'You asked for what you can take elsewhere: this package holds what you provided, and nothing else (Quebec P-39.1, s. 27).',
    'Vous avez demandé ce que vous pouvez emporter ailleurs : cet envoi contient ce que vous avez fourni, et rien d’autre (Québec, P-39.1, art. 27).',
  ),
  madeAt: say('Made', 'Établi'),
  request: say('Request', 'Demande'),
  archived: say(
    'Months of the access log that are archived and not in here',
    'Mois du journal d’accès archivés, absents d’ici',
  ),
  overview: say('What is in here', 'Contenu'),
  what: say('What', 'Quoi'),
  rows: say('Rows', 'Lignes'),
  nothing: say('nothing', 'rien'),
  more: (count: number, file: string) =>
    say(
      `${grouped(count, 'en')} more rows are in ${file}.`,
      `${grouped(count, 'fr')} autres lignes se trouvent dans ${file}.`,
    ),
  withheld: say('What is not in here, and why', 'Ce qui n’y est pas, et pourquoi'),
  withheldWhy: say(
    'Some of what is held with your information is about others or would let somebody in. You may ask about it, and you may complain to the Office of the Privacy Commissioner of Canada or, in Quebec, to the Commission d’accès à l’information.',
    'Une partie de ce qui est conservé avec vos renseignements concerne d’autres personnes ou donnerait accès à quelque chose. Vous pouvez nous interroger à ce sujet, et porter plainte au Commissariat à la protection de la vie privée du Canada ou, au Québec, à la Commission d’accès à l’information.',
  ),
  withheldRows: say('Rows', 'Lignes'),
  withheldColumns: say('Columns', 'Colonnes'),
  table: say('Table', 'Table'),
  column: say('Column', 'Colonne'),
  why: say('Why', 'Pourquoi'),
  others: say('Other people', 'Autres personnes'),
  othersWhy: say(
    'Where other people were named, a name that stands for each of them is written instead, always the same. The file severances.csv lists every place.',
    'Là où d’autres personnes étaient nommées figure un nom qui tient lieu du leur, toujours le même. Le fichier severances.csv énumère chaque endroit.',
  ),
  aliases: say('Who stands for whom is known to us alone', 'Nous seuls savons qui est qui'),
  alias: say('Written instead', 'Écrit à la place'),
  times: say('Times', 'Fois'),
  nobody: say('nobody else was named', 'personne d’autre n’était nommé'),
  verify: say(
    'Every byte of the ZIP file is signed: nestctl export verify checks it with our public keys alone.',
    'Chaque octet du fichier ZIP est signé : nestctl export verify le vérifie avec nos seules clés publiques.',
  ),
} as const;

/** What is drawn on the page. */
export const CHARTS = {
  heading: say('At a glance', 'En un coup d’œil'),
  usage: say('Entries of the usage log by week', 'Inscriptions au journal d’utilisation par semaine'),
  week: say('Week from', 'Semaine du'),
  entries: say('entries', 'inscriptions'),
  weight: (name: string) => say(`Weight: ${name}`, `Poids : ${name}`),
  height: (name: string) => say(`Height: ${name}`, `Taille : ${name}`),
  day: say('Day', 'Jour'),
} as const;

export const ORIGIN_NAMES: Readonly<Record<Origin, Words>> = {
  provided: say(
    'Provided by you, for a child by its household',
    'Fourni par vous, pour un enfant par son foyer',
  ),
  reported: say('Told by somebody else', 'Dit par quelqu’un d’autre'),
  observed: say('Observed while the application was used', 'Observé pendant l’utilisation de l’application'),
  inferred: say('Worked out by us', 'Déduit par nous'),
  assigned: say('Assigned by us', 'Attribué par nous'),
  account: say('Put together for you', 'Établi pour vous'),
};

const TABLES: Readonly<Record<string, Words>> = {
  'public.users': say('Your account', 'Votre compte'),
  'public.families': say('Your families', 'Vos familles'),
  'public.family_members': say('Your memberships', 'Vos appartenances'),
  'public.family_invitations': say('Invitations', 'Invitations'),
  'public.children': say('Children', 'Enfants'),
  'public.emergency_profiles': say('Emergency profiles', 'Profils d’urgence'),
  'public.inventory_items': say('Stock', 'Stock'),
  'public.usage_logs': say('Usage log', 'Journal d’utilisation'),
  'public.reorder_suggestions': say('Reorder suggestions', 'Suggestions de commande'),
  'public.analytics_events': say('Use of the application', 'Utilisation de l’application'),
  'public.usage_analytics': say('Usage figures', 'Chiffres d’utilisation'),
  'public.notification_preferences': say('Notification settings', 'Réglages des avis'),
  'public.notification_logs': say('Notifications', 'Avis'),
  'public.subscriptions': say('Subscriptions', 'Abonnements'),
  'public.payment_methods': say('Means of payment', 'Moyens de paiement'),
  'public.consent_records': say('Consents', 'Consentements'),
  'private.weekly_usage': say('Usage by week', 'Utilisation par semaine'),
  'audit.events': say('What was done, and with your data', 'Ce qui a été fait, et avec vos données'),
  'audit.readings': say('Who looked at the log of it', 'Consultations du journal'),
  'ops.access_grants': say(
    'When our staff could see your data',
    'Quand notre personnel pouvait voir vos données',
  ),
  'ops.access_diagnoses': say('Problems of access that were looked into', 'Problèmes d’accès examinés'),
  'ops.access_explanations': say('Explanations of access', 'Explications d’accès'),
  'ops.impersonations': say(
    'When our staff acted in your place',
    'Quand notre personnel a agi à votre place',
  ),
  'ops.moves': say('Families merged, split or left', 'Familles fusionnées, divisées ou quittées'),
  'privacy.exports': say('Packages like this one', 'Envois comme celui-ci'),
  account_of_use: ACCOUNT.account_of_use.heading,
  disclosures: ACCOUNT.disclosures.heading,
  requests: ACCOUNT.requests.heading,
};

/** What a table holds, for a person; its name where nobody has said. */
export const tableName = (table: string): Words => TABLES[table] ?? say(table, table);

/** The name of a column as people write it. Names of fields are the same in the files, whatever the language. */
export function columnName(column: string): Words {
  const words = column.replaceAll('_', ' ');
  return say(words, FRENCH[column] ?? words);
}

const FRENCH: Readonly<Record<string, string>> = {
  email: 'courriel',
  first_name: 'prénom',
  last_name: 'nom',
  display_name: 'nom affiché',
  phone_number: 'téléphone',
  status: 'état',
  timezone: 'fuseau horaire',
  language: 'langue',
  province: 'province',
  postal_code: 'code postal',
  created_at: 'créé',
  updated_at: 'modifié',
  deleted_at: 'supprimé',
  archived_at: 'archivé',
  created_by: 'créé par',
  invited_by: 'invité par',
  accepted_by: 'accepté par',
  name: 'nom',
  description: 'description',
  settings: 'réglages',
  family_type: 'type de famille',
  role: 'rôle',
  granted_permissions: 'permissions accordées',
  denied_permissions: 'permissions refusées',
  joined_at: 'arrivée',
  access_expires_at: 'fin d’accès',
  expires_at: 'échéance',
  accepted_at: 'acceptée',
  date_of_birth: 'date de naissance',
  gender: 'genre',
  product_type: 'type de produit',
  brand: 'marque',
  product_name: 'produit',
  product: 'produit',
  size: 'taille',
  quantity_total: 'quantité',
  quantity_remaining: 'quantité restante',
  quantity_reserved: 'quantité réservée',
  purchase_date: 'achat',
  cost_cad: 'prix ($ CA)',
  notes: 'notes',
  message: 'message',
  title: 'titre',
  channel: 'voie',
  priority: 'priorité',
  sent_at: 'envoyé',
  plan: 'forfait',
  amount: 'montant',
  consent_type: 'consentement',
  granted_at: 'accordé',
  withdrawn_at: 'retiré',
  purpose: 'fin',
  occurred_at: 'moment',
  operation: 'opération',
  table_name: 'table',
  changed_columns: 'colonnes modifiées',
  duty: 'fonction',
  category: 'catégorie',
  asked_at: 'moment',
  opened_at: 'ouvert',
  closed_at: 'fermé',
  kind: 'genre',
  encryption: 'chiffrement',
  recipients: 'clés publiques',
};

const REASONS: Readonly<Record<string, string>> = {
  'about a child: given to whoever is recorded as its guardian':
    'concerne un enfant : remis à quiconque est inscrit comme son tuteur',
  'about others of a household that the person is or was in, or looked after (PIPEDA s. 9(1))':
    'concerne d’autres membres d’un foyer dont la personne est ou était membre, ou dont elle s’occupait (LPRPDE, par. 9(1))',
  'another person’s (PIPEDA s. 9(1))': 'concerne une autre personne (LPRPDE, par. 9(1))',
  'a hash, which tells nothing': 'une empreinte, qui ne dit rien',
  'a token of the payment provider, of use to nobody else':
    'un jeton du prestataire de paiement, inutile à tout autre',
  'leads into a system of staff': 'mène à un système du personnel',
  'lets somebody in': 'donne accès au compte',
  'lets somebody in, or did': 'donne ou donnait accès au compte',
  'whoever holds it can send to the device': 'permet d’envoyer des messages à l’appareil',
  'may name somebody else; told in words on request (PIPEDA s. 9(1))':
    'peut nommer quelqu’un d’autre; expliqué sur demande (LPRPDE, par. 9(1))',
  'names others (PIPEDA s. 9(1))': 'nomme d’autres personnes (LPRPDE, par. 9(1))',
  'the row itself is given; its earlier states name others too and are told on request (PIPEDA s. 9(1))':
    'la ligne elle-même est remise; ses états antérieurs nomment aussi d’autres personnes et sont expliqués sur demande (LPRPDE, par. 9(1))',
};

/** Why something is not given, as the data map has it. */
export const whyWords = (why: string): Words => say(why, REASONS[why] ?? why);
