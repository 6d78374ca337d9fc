import type { Words } from './words.js';

export type LetterKind = 'acknowledgement' | 'extension' | 'refusal' | 'answer';

export const TITLES: Readonly<Record<LetterKind, Words>> = {
  acknowledgement: { en: 'We received your request {number}', fr: 'Nous avons reçu votre demande {number}' },
  extension: {
    en: 'Request {number}: more time is needed',
    fr: 'Demande {number} : prolongation du délai',
  },
  refusal: { en: 'Request {number} is refused', fr: 'Demande {number} : refus' },
  answer: { en: 'Answer to your request {number}', fr: 'Réponse à votre demande {number}' },
};

export const RECEIVED: Words = {
  en: 'On {received} we received your request for {kind}. It is made under the {law}.',
  fr: 'Le {received}, nous avons reçu votre demande {kind}. Elle est faite en vertu de la {law}.',
};
export const VERIFY: Words = {
  en: 'Before we hand out anything we have to verify who asks. We will tell you how; what we see of a document is not copied, and its number is not kept.',
  fr: 'Avant de remettre quoi que ce soit, nous devons vérifier qui le demande. Nous vous dirons comment; aucun document n’est copié et son numéro n’est pas conservé.',
};
export const ANSWER_BY: Words = {
  en: 'You will have our answer by {due}. If we do not answer by then, the law takes it as a refusal.',
  fr: 'Vous aurez notre réponse au plus tard le {due}. Sans réponse de notre part à cette date, la loi y voit un refus.',
};
export const MAY_EXTEND: Words = {
  en: 'Should we need more time, as the law allows in some cases, we will tell you within 30 days of your request, with the reasons and the new date.',
  fr: 'S’il nous faut plus de temps, comme la loi le permet dans certains cas, nous vous en aviserons dans les 30 jours de votre demande, avec les motifs et la nouvelle date.',
};
export const COMPLAIN: Words = {
  en: 'You have the right to complain to {commission}.',
  fr: 'Vous avez le droit de porter plainte {commission}.',
};
export const NEW_LIMIT: Words = {
  en: 'The new time limit for our answer is {limit}.',
  fr: 'Le nouveau délai pour notre réponse expire le {limit}.',
};
export const WHY_EXTENDED: Words = {
  en: 'The time limit is extended because {ground}: {told}',
  fr: 'Le délai est prolongé parce que {ground} : {told}',
};
export const REFUSED: Words = {
  en: 'We cannot grant it. Ground: {code}.',
  fr: 'Nous ne pouvons pas y donner suite. Motif : {code}.',
};
export const REASONS: Words = { en: 'Our reasons: {told}', fr: 'Nos raisons : {told}' };
export const RECOURSE: Words = {
  en: 'Until {until} you can complain of this refusal to {commission}.',
  fr: 'Jusqu’au {until}, vous pouvez contester ce refus en vous adressant {commission}.',
};
export const KEPT: Words = {
  en: 'The information that you asked for is kept at least until that date, so that nothing is lost to you.',
  fr: 'Les renseignements demandés sont conservés au moins jusqu’à cette date, afin que rien ne soit perdu pour vous.',
};
export const ANSWERED: Words = { en: 'This is our answer: {told}', fr: 'Voici notre réponse : {told}' };
export const COST: Words = {
  en: 'The cost that you agreed to is {cost} dollars.',
  fr: 'Les frais que vous avez acceptés sont de {cost} dollars.',
};
export const LATE: Words = {
  en: 'It comes after the time limit ({due}). Until {until} you can complain of that.',
  fr: 'Elle vient après l’expiration du délai ({due}). Jusqu’au {until}, vous pouvez vous en plaindre.',
};

export const OUR_PRIVACY_OFFICER: Words = {
  en: 'NestSync, person in charge of the protection of personal information',
  fr: 'NestSync, personne responsable de la protection des renseignements personnels',
};
export const GREETING: Words = { en: 'Hello,', fr: 'Bonjour,' };
