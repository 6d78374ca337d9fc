import { say, type Words } from '../../evidence/index.js';
import { WHY_ROWS } from './manifest.js';
import { whyWords } from './words.js';

/** Why a person does not see what they are given. */
export const WHY_UNSEEN = {
  not_in_app: say('the app shows nothing of this table', 'l’application ne montre rien de cette table'),
  account_suspended: say('the account is suspended', 'le compte est suspendu'),
  account_pending_deletion: say('the account waits for its deletion', 'le compte attend sa suppression'),
  no_member: say('no member of the family', 'la personne n’est pas membre de la famille'),
  membership_suspended: say('the membership is suspended', 'l’adhésion est suspendue'),
  membership_invited: say('the invitation was not accepted', 'l’invitation n’a pas été acceptée'),
  membership_inactive: say('the membership is inactive', 'l’adhésion est inactive'),
  membership_removed: say('the membership was removed', 'l’adhésion a été retirée'),
  membership_expired: say('the membership has expired', 'l’adhésion a expiré'),
  family_archived: say('the family is archived', 'la famille est archivée'),
  role: say(
    'the role in the family, or what was given to the member or taken from them, does not open these rows',
    'le rôle dans la famille, ou ce qui a été accordé ou retiré au membre, n’ouvre pas ces lignes',
  ),
  policy: say('row security lets no member see it', 'la sécurité des lignes ne le montre à aucun membre'),
} as const satisfies Readonly<Record<string, Words>>;

/** Why a person is not given what they see. */
export const WHY_BEYOND = {
  of_children: whyWords(WHY_ROWS.of_children),
  of_others: whyWords(WHY_ROWS.of_others),
  entered: say(
    'about others alone, and entered by the person',
    'au sujet d’autres seulement, et inscrit par la personne',
  ),
  not_exported: say('the data map exports nothing of it', 'le registre des données n’en exporte rien'),
  about_nobody: say('about nobody', 'au sujet de personne'),
  unconnected: say(
    'the data map connects it with the person in no way: row security shows too much, or the map knows too little',
    'le registre des données ne le relie d’aucune façon à la personne : la sécurité des lignes montre trop, ou le registre en sait trop peu',
  ),
} as const satisfies Readonly<Record<string, Words>>;

export type WhyUnseen = keyof typeof WHY_UNSEEN;
export type WhyBeyond = keyof typeof WHY_BEYOND;
