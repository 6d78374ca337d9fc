import { say, type Words } from '../../evidence/index.js';

type Named = Readonly<Record<string, Words>>;

/** What a certificate says, in both languages. */
export const CERTIFICATE = {
  title: say('Certificate of erasure', 'Attestation de destruction'),
  lead: (request: string) => say(`In answer to request ${request}`, `En réponse à la demande ${request}`),
  verdict: say('What was done', 'Ce qui a été fait'),
  done: say(
    'The personal information was erased, and nothing of it was found afterwards.',
    'Les renseignements personnels ont été détruits, et rien n’en a été trouvé par la suite.',
  ),
  partly: say(
    'The personal information was erased in the database, and nothing of it was found there afterwards. Not everything that follows it is done yet: see below.',
    'Les renseignements personnels ont été détruits dans la base de données, et rien n’y a été trouvé par la suite. Certaines suites ne sont pas encore achevées\u00a0: voir plus bas.',
  ),
  request: say('Request', 'Demande'),
  ground: say('Ground', 'Motif'),
  scheduledAt: say('Scheduled', 'Planifiée le'),
  erasedAt: say('Erased', 'Détruits le'),
  provenAt: say('Looked for afterwards', 'Recherche faite par la suite le'),
  families: say('Families erased whole', 'Familles détruites en entier'),
  backups: say(
    'The last backup that still holds it expires',
    'Expiration de la dernière sauvegarde qui en contient',
  ),
  unknown: say(
    'unknown: no catalogue of backups is at hand',
    'inconnue\u00a0: aucun catalogue des sauvegardes n’est disponible',
  ),
  erased: say('What was erased', 'Ce qui a été détruit'),
  what: say('Records', 'Données'),
  whose: say('Whose', 'De qui'),
  became: say('What became of them', 'Ce qu’elles sont devenues'),
  rows: say('Rows', 'Lignes'),
  nothing: say('Nothing', 'Rien'),
  kept: say('What is kept', 'Ce qui est conservé'),
  keptWhy: say(
    'Some records are kept under an obligation in law, with no more in them than it asks for.',
    'Certaines données sont conservées en vertu d’une obligation légale, sans rien de plus que ce qu’elle exige.',
  ),
  under: say('Under', 'En vertu de'),
  until: say('At the latest until', 'Au plus tard jusqu’au'),
  outside: say('Others who had it from us', 'Tiers qui les tenaient de nous'),
  recipient: say('Who', 'Qui'),
  outcome: say('What became of it there', 'Ce qu’il en est advenu'),
  settled: say('Settled', 'Réglé le'),
  open: say('asked of them, not confirmed yet', 'demandé, pas encore confirmé'),
  nobody: say('Nobody had anything.', 'Personne n’en détenait.'),
  looked: say('How it was looked for', 'Comment la recherche a été faite'),
  lookedHow: say(
    'Every text of every table of the database was searched for the account, the addresses, telephone numbers, names, devices and customer numbers that it had, however they are written. Counted are the places where something was found.',
    'Tous les textes de toutes les tables de la base de données ont été fouillés pour y trouver le compte, les adresses, numéros de téléphone, noms, appareils et numéros de client, quelle qu’en soit la graphie. Les endroits où quelque chose a été trouvé sont comptés.',
  ),
  archivesReached: say('Archives of the audit log erased from', 'Archives du journal d’audit épurées'),
  archivesWaiting: say('Archives still to be reached', 'Archives encore à épurer'),
  seal: say('Seal', 'Sceau'),
  record: say('Signed record', 'Enregistrement signé'),
  madeAt: say('Signed', 'Signé le'),
  key: say('Signing key', 'Clé de signature'),
  plan: say('SHA-256 of the plan', 'SHA-256 du plan'),
  approval: say('Approved by a second person', 'Approuvé par une deuxième personne'),
  foot: (record: string) =>
    say(
      `This page is a reading of the record ${record}, which is signed and proves itself: nestctl evidence verify.`,
      `Cette page présente l’enregistrement ${record}, qui est signé et se vérifie\u00a0: nestctl evidence verify.`,
    ),
} as const;

export const GROUND_WORDS: Named = {
  consent_withdrawn: say(
    'consent was withdrawn (PIPEDA principle 4.3.8)',
    'le consentement a été retiré (LPRPDE, principe 4.3.8)',
  ),
  purpose_ended: say(
    'no longer needed for its purpose (PIPEDA principle 4.5.3; P-39.1 s. 23)',
    'plus nécessaires à la fin prévue (LPRPDE, principe 4.5.3; P-39.1, art. 23)',
  ),
  unlawful: say(
    'collected or kept against the law (P-39.1 s. 28)',
    'recueillis ou conservés contrairement à la loi (P-39.1, art. 28)',
  ),
  inaccurate: say(
    'inaccurate or out of date (PIPEDA principle 4.9.5; P-39.1 s. 28)',
    'inexacts ou périmés (LPRPDE, principe 4.9.5; P-39.1, art. 28)',
  ),
};

export const ROWS_OF: Named = {
  own: say('the person', 'la personne'),
  gone: say('a family that went too', 'une famille détruite aussi'),
  named: say('others, naming the person', 'd’autres, qui nomment la personne'),
  spelled: say('others, naming the person in words', 'd’autres, qui nomment la personne en toutes lettres'),
  entered: say('others, entered by the person', 'd’autres, saisies par la personne'),
};

export const DOES: Named = {
  delete: say('deleted', 'supprimées'),
  anonymize: say('anonymized for good', 'anonymisées de façon irréversible'),
  sever: say('names nobody any more', 'ne nomment plus personne'),
  refresh: say('counted anew', 'recalculées'),
};

export const OBLIGATIONS: Named = {
  tax_records: say('books and records for taxes', 'registres fiscaux'),
  consent_evidence: say('evidence of consents', 'preuve des consentements'),
  accountability: say(
    'accountability for what was done with what we hold',
    'responsabilité quant à l’usage de ce que nous détenons',
  ),
};

export const RECIPIENTS: Named = {
  payments: say('the processor that charges for subscriptions', 'le processeur des paiements d’abonnement'),
  email: say('the sender of e-mail', 'l’expéditeur des courriels'),
  sms: say('the sender of text messages', 'l’expéditeur des messages textes'),
  push: say('the push services of telephones', 'les services de notification des téléphones'),
};

export const OUTCOMES: Named = {
  erased: say('erased', 'détruits'),
  not_held: say('they held nothing', 'rien n’y était détenu'),
  kept: say(
    'kept under an obligation of their own',
    'conservés en vertu d’une obligation qui leur est propre',
  ),
};

/** States in which places were found. */
export const FOUND: Named = {
  kept: say('Places kept under an obligation', 'Endroits conservés en vertu d’une obligation'),
  namesake: say('Others who are called so', 'Homonymes'),
  looked_at: say('Seen by somebody to be of others', 'Vérifiés par quelqu’un, et d’autrui'),
};
