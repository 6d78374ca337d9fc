import type { CalendarDay } from '../../clock/calendar-day.js';
import type { ExtensionGround, Regime } from '../../clock/regimes.js';
import type { DenialCode, RequestKind } from '../request.js';

/** A text in both languages of letters. */
export interface Words {
  readonly en: string;
  readonly fr: string;
}

export const LAWS: Readonly<Record<Regime, Words>> = {
  pipeda: {
    en: 'Personal Information Protection and Electronic Documents Act (PIPEDA)',
    fr: 'Loi sur la protection des renseignements personnels et les documents électroniques (LPRPDE)',
  },
  law25: {
    en: 'Act respecting the protection of personal information in the private sector (CQLR c. P-39.1)',
    fr: 'Loi sur la protection des renseignements personnels dans le secteur privé (RLRQ c. P-39.1)',
  },
};

/** To whom a person complains, and how they are reached. */
export const COMMISSIONS: Readonly<Record<Regime, Words>> = {
  pipeda: {
    en: 'the Privacy Commissioner of Canada, 30 Victoria Street, Gatineau, Quebec K1A 1H3, 1-800-282-1376, www.priv.gc.ca',
    fr: 'au Commissaire à la protection de la vie privée du Canada, 30, rue Victoria, Gatineau (Québec) K1A 1H3, 1-800-282-1376, www.priv.gc.ca',
  },
  law25: {
    en: "the Commission d'accès à l'information, 525, boulevard René-Lévesque Est, Québec (Québec) G1R 5S9, 1-888-528-7741, www.cai.gouv.qc.ca",
    fr: 'à la Commission d’accès à l’information, 525, boulevard René-Lévesque Est, Québec (Québec) G1R 5S9, 1-888-528-7741, www.cai.gouv.qc.ca',
  },
};

export const KINDS: Readonly<Record<RequestKind, Words>> = {
  access: { en: 'access to personal information', fr: 'd’accès à des renseignements personnels' },
  correction: {
    en: 'correction of personal information',
    fr: 'de rectification de renseignements personnels',
  },
  deletion: { en: 'deletion of personal information', fr: 'de suppression de renseignements personnels' },
  portability: {
    en: 'a copy of personal information in a structured, commonly used format',
    fr: 'de communication de renseignements personnels dans un format technologique structuré et couramment utilisé',
  },
  consent_withdrawal: { en: 'the withdrawal of consent', fr: 'de retrait du consentement' },
};

export const GROUNDS: Readonly<Record<ExtensionGround, Words>> = {
  unreasonable_interference: {
    en: 'meeting the time limit would unreasonably interfere with our activities',
    fr: 'l’observation du délai entraverait gravement notre activité',
  },
  consultation: {
    en: 'the consultations needed to answer you make the time limit impracticable',
    fr: 'les consultations nécessaires pour vous répondre rendent le délai impossible à respecter',
  },
  conversion: {
    en: 'time is needed to convert the information to an alternative format',
    fr: 'le transfert des renseignements sur un support de substitution demande du temps',
  },
};

export const DENIALS: Readonly<Record<DenialCode, Words>> = {
  suspected_fraud: {
    en: 'we have reason to believe that the request does not come from the person it is about',
    fr: 'nous avons des raisons de croire que la demande ne vient pas de la personne concernée',
  },
  insuf_verification: {
    en: 'your identity, or your right to ask for somebody else, could not be verified',
    fr: 'votre identité, ou votre droit d’agir pour autrui, n’a pas pu être vérifié',
  },
  no_match: {
    en: 'we found no information about the person the request names',
    fr: 'nous n’avons trouvé aucun renseignement sur la personne que la demande désigne',
  },
  claim_not_covered: {
    en: 'what you ask for is not covered by the right you invoke',
    fr: 'ce que vous demandez n’est pas visé par le droit que vous invoquez',
  },
  outside_jurisdiction: {
    en: 'the law you invoke does not apply to this request',
    fr: 'la loi que vous invoquez ne s’applique pas à cette demande',
  },
  too_many_requests: {
    en: 'the same was asked for several times within a short time',
    fr: 'la même demande a été faite plusieurs fois en peu de temps',
  },
  other: { en: 'the reasons given below', fr: 'les raisons données ci-dessous' },
};

/** A day as a reader of each language writes it. */
export function dayWords(day: CalendarDay): Words {
  const date = new Date(`${day}T12:00:00Z`);
  const write = (locale: string) =>
    new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(date);
  return { en: write('en-CA'), fr: write('fr-CA').replace(/^1 /, '1er ') };
}

/** A template in each language, filled with parts of that language. */
export function words(parts: Readonly<Record<string, Words | string>>, template: Words): Words {
  const fill = (language: keyof Words) =>
    template[language].replace(/\{(\w+)\}/g, (_, name: string) => {
      const part = parts[name];
      if (part === undefined) throw new Error(`the template names ${name}, and nothing is given for it`);
      return typeof part === 'string' ? part : part[language];
    });
  return { en: fill('en'), fr: fill('fr') };
}
