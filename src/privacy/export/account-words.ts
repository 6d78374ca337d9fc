import { say, type Words } from '../../evidence/index.js';
import type { AccountName } from './accounts.js';

/** A number as a reader of that language writes it. */
export const grouped = (count: number, language: 'en' | 'fr') => count.toLocaleString(`${language}-CA`);

/** What each column of an account says. */
export const ABOUT: Readonly<Record<AccountName, Readonly<Record<string, Words>>>> = {
  account_of_use: {
    at: say('When, or from when.', 'Quand, ou à partir de quand.'),
    until: say(
      'Until when it could be looked at; what of it was, is not recorded.',
      'Jusqu’à quand c’était visible; ce qui a été vu n’est pas inscrit.',
    ),
    duty: say('The duty of whoever of our staff did it.', 'La fonction du membre du personnel.'),
    what: say('What was done, or could be.', 'Ce qui a été fait, ou pouvait l’être.'),
    operation: say(
      'Of a change insert, update or delete; of a reading or a move, its kind.',
      'D’une modification : insert, update ou delete; d’une consultation ou d’un déplacement, son genre.',
    ),
    tables: say(
      'The tables concerned; those that could be looked at, as the duty’s rights are today.',
      'Les tables visées; celles qui étaient visibles, selon les droits actuels de la fonction.',
    ),
    scope: say('Whose data it was about.', 'Les données visées.'),
    why: say('Why.', 'Pourquoi.'),
    request: say('The request that it was done for.', 'La demande qui en était la cause.'),
  },
  disclosures: {
    at: say('When; empty where nothing says when.', 'Quand; vide si rien ne l’indique.'),
    until: say(
      'Until when a link or a consent was good.',
      'Jusqu’à quand un lien ou un consentement valait.',
    ),
    ended_at: say(
      'When a share was revoked or a consent withdrawn.',
      'Quand un partage ou un consentement a été révoqué.',
    ),
    told_on: say(
      'The day on which the recipient was told or consulted.',
      'Le jour où le destinataire a été informé ou consulté.',
    ),
    recipient: say('To whom.', 'À qui.'),
    organization: say('Its name, where one is known.', 'Son nom, s’il est connu.'),
    what: say('What happened.', 'Ce qui s’est passé.'),
    known: say(
      'Whether a record says so, or it is only possible.',
      'Si c’est inscrit, ou seulement possible.',
    ),
    data: say(
      'Columns, or kinds of information; empty where not recorded.',
      'Colonnes ou genres de renseignements; vide si non inscrit.',
    ),
    region: say('Where the store lay.', 'Où se trouvait le dépôt.'),
    request: say('The request that it belongs to.', 'La demande correspondante.'),
  },
  requests: {
    request: say('Number of the request.', 'Numéro de la demande.'),
    kind: say('What was asked for.', 'Ce qui était demandé.'),
    regime: say('The law that it is answered by.', 'La loi applicable.'),
    requester: say('Who asked.', 'Qui a fait la demande.'),
    channel: say('How it arrived.', 'Par quelle voie elle est arrivée.'),
    received_at: say('When it was received.', 'Quand elle a été reçue.'),
    due_on: say('The last day for the answer.', 'Le dernier jour pour y répondre.'),
    state: say('Where it stands.', 'Où elle en est.'),
    at: say('When the step was recorded.', 'Quand l’étape a été inscrite.'),
    event: say('The step.', 'L’étape.'),
    detail: say(
      'Of the step: how, to or by whom, or which column.',
      'De l’étape : comment, à qui ou par qui, ou quelle colonne.',
    ),
    reason: say('Why it was refused.', 'Pourquoi elle a été refusée.'),
    on_day: say(
      'The day it took place, where recorded later.',
      'Le jour où elle a eu lieu, si inscrite plus tard.',
    ),
    until: say(
      'The new limit, or the last day to complain or go to a court.',
      'Le nouveau délai, ou le dernier jour pour se plaindre ou saisir un tribunal.',
    ),
    days: say('Days of an extension.', 'Jours de prolongation.'),
    amount: say('The cost that was told, in Canadian dollars.', 'Le coût annoncé, en dollars canadiens.'),
    told: say(
      'What the person asked or was told, in words.',
      'Ce que la personne a demandé ou ce qui lui a été dit.',
    ),
  },
};

/** What the page says around the accounts. */
export const ACCOUNT = {
  account_of_use: {
    heading: say('What our staff did with this data', 'Ce que notre personnel a fait de ces données'),
    explain: say(
      'Each time that somebody of our staff looked at this data, could look at it, or changed it. Whoever it was is told by their duty. Searches by the beginning of a name, which show names masked, are not kept by person. What was opened or asked for somebody else of a household is theirs, and not told here.',
      'Chaque fois qu’un membre de notre personnel a consulté ces données, pouvait les consulter ou les a modifiées. La personne est désignée par sa fonction. Les recherches par le début d’un nom, qui montrent des noms masqués, ne sont pas conservées par personne. Ce qui a été ouvert ou demandé pour un autre membre d’un foyer lui appartient et n’est pas indiqué ici.',
    ),
    each: say('Each time, the newest first', 'Chaque fois, de la plus récente à la plus ancienne'),
    first: say('Who and what', 'Qui et quoi'),
    second: say('Why', 'Pourquoi'),
    none: say('Nothing is on record.', 'Rien n’est inscrit.'),
  },
  disclosures: {
    heading: say('To whom this data was given', 'À qui ces données ont été communiquées'),
    explain: say(
      'What is on record, and who may have got it. Members of a family see in the application what it shares; that is not listed. Where nothing says whether or when, it says unknown.',
      'Ce qui est inscrit, et qui a pu les recevoir. Les membres d’une famille voient dans l’application ce qu’elle partage; ce n’est pas énuméré ici. Si rien n’indique si cela a eu lieu ni quand, c’est dit inconnu.',
    ),
    each: say('Each time, the newest first', 'Chaque fois, de la plus récente à la plus ancienne'),
    first: say('To whom and how', 'À qui et comment'),
    second: say('What of it', 'Quoi'),
    none: say(
      'No disclosure is on record, and nobody is known who may have got it.',
      'Aucune communication n’est inscrite, et on ne connaît personne qui ait pu les recevoir.',
    ),
  },
  requests: {
    heading: say('Requests about this data', 'Demandes au sujet de ces données'),
    explain: say(
      'What was asked of us about this data, and each step until it was answered.',
      'Ce qui nous a été demandé au sujet de ces données, et chaque étape jusqu’à la réponse.',
    ),
    each: say('Each step, the newest first', 'Chaque étape, de la plus récente à la plus ancienne'),
    first: say('Request and step', 'Demande et étape'),
    second: say('In words', 'En toutes lettres'),
    none: say('Nothing was asked.', 'Rien n’a été demandé.'),
  },
  summary: say('In all', 'Au total'),
  times: say('Times', 'Fois'),
  last: say('Last', 'Dernière fois'),
  when: say('When', 'Quand'),
  unknown: say('unknown', 'inconnu'),
  notRecorded: say('not recorded', 'non inscrit'),
  until: say('until', 'jusqu’à'),
  ended: say('ended', 'fin'),
  due: say('due on', 'réponse due le'),
  days: say('days', 'jours'),
  code: say('Column or code', 'Colonne ou code'),
  meaning: say('What it says', 'Ce qu’il dit'),
  codes: say('Columns and codes', 'Colonnes et codes'),
  codesExplain: say(
    'In the folder account, words of a list stand as codes. The files in schema/account explain them too.',
    'Dans le dossier account, les mots d’une liste figurent sous forme de codes. Les fichiers du dossier schema/account les expliquent aussi.',
  ),
  more: (count: number, file: string) =>
    say(
      `${grouped(count, 'en')} more are in ${file}.`,
      `${grouped(count, 'fr')} autres se trouvent dans ${file}.`,
    ),
} as const;
