import { type Markup, markup } from '../../../evidence/index.js';
import { spacedCode } from '../identity-code.js';
import { clockOf, type DataRequest } from '../request.js';
import { GREETING, OUR_PRIVACY_OFFICER } from './templates.js';
import { dayWords, KINDS, type Words, words } from './words.js';

/** What is sent to whoever made a request, in its language. */
export interface CodeLetter {
  readonly fromName: string;
  readonly language: 'en' | 'fr';
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

// The code is not in the subject nor in the first lines: a locked telephone shows those.
const SUBJECT: Words = {
  en: 'NestSync: confirm your request {number}',
  fr: 'NestSync : confirmez votre demande {number}',
};
const WHY: Words = {
  en: 'On {received} NestSync received a request for {kind}, number {number}. Before anything is handed out or changed we verify that it comes from you: we write to the address that was on record with us, not to one that came with the request.',
  fr: 'Le {received}, NestSync a reçu une demande {kind}, numéro {number}. Avant de remettre ou de modifier quoi que ce soit, nous vérifions qu’elle vient de vous : nous écrivons à l’adresse déjà inscrite à nos dossiers, et non à une adresse fournie avec la demande.',
};
const HOW: Words = {
  en: 'If you made it, answer this message with the code below, or give it to our privacy officer where you made your request. It is good once, for this request only, until {until}.',
  fr: 'Si vous l’avez faite, répondez à ce message en indiquant le code ci-dessous, ou donnez-le à notre personne responsable de la protection des renseignements personnels là où vous avez fait votre demande. Il est valable une seule fois, pour cette demande uniquement, jusqu’au {until}.',
};
const CODE: Words = { en: 'Your code: {code}', fr: 'Votre code : {code}' };
const NEVER: Words = {
  en: 'Nobody at NestSync will call you or text you to ask for this code, nor ask you for a password or a payment with it. If somebody does, do not tell it, and let us know.',
  fr: 'Personne chez NestSync ne vous téléphonera ni ne vous enverra de message texte pour vous demander ce code, ni ne vous demandera un mot de passe ou un paiement. Si cela arrive, ne le donnez pas et avisez-nous.',
};
const NOT_YOURS: Words = {
  en: 'If you did not make this request, do not pass the code on and tell us so by answering this message. Nothing is handed out without it. Somebody may be asking for your data in your name.',
  fr: 'Si vous n’avez pas fait cette demande, ne transmettez le code à personne et dites-le-nous en répondant à ce message. Rien n’est remis sans lui. Quelqu’un demande peut-être vos renseignements en votre nom.',
};
const NO_LINKS: Words = {
  en: 'This message has no link and no attachment.',
  fr: 'Ce message ne contient ni lien ni pièce jointe.',
};

/** The letter with a code, which is good until then. */
export function composeCodeLetter(request: DataRequest, code: string, expiresAt: Date): CodeLetter {
  const { number, language, zone } = request;
  const parts = {
    number,
    kind: KINDS[request.kind],
    received: dayWords(clockOf(request, new Date()).receivedOn),
    until: momentWords(expiresAt, zone),
    code: spacedCode(code),
  };
  const say = (template: Words) => words(parts, template)[language];
  const before = [GREETING, WHY, HOW].map(say);
  const after = [NEVER, NOT_YOURS, NO_LINKS, OUR_PRIVACY_OFFICER].map(say);
  const subject = say(SUBJECT);
  return {
    fromName: 'NestSync',
    ...{ language, subject },
    text: [...before, say(CODE), ...after].join('\n\n'),
    html: page(language, subject, [
      ...before.map(paragraph),
      markup`<p style="font-size:1.4em"><strong>${say(CODE)}</strong></p>`,
      ...after.map(paragraph),
    ]),
  };
}

const paragraph = (text: string): Markup => markup`<p>${text}</p>`;

function page(language: string, title: string, body: readonly Markup[]): string {
  return markup`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><title>${title}</title></head>
<body style="font-family:sans-serif;line-height:1.5;max-width:38em;margin:1em auto;padding:0 1em;color:#1a1a1a;background:#fff">
${body}
</body></html>
`.toString();
}

/** A moment by the clocks of the person, with the name of their time. */
function momentWords(moment: Date, zone: string): Words {
  const write = (locale: string) =>
    new Intl.DateTimeFormat(locale, {
      ...{ year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit' },
      ...{ timeZone: zone, timeZoneName: 'short' },
    }).format(moment);
  return { en: write('en-CA'), fr: write('fr-CA') };
}
