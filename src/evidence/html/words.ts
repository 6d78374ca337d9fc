import type { Language, Value, Words } from './report.js';

/** Words in both languages. */
export const say = (en: string, fr: string): Words => ({ en, fr });

export const OURS = {
  yes: { en: 'yes', fr: 'oui' },
  no: { en: 'no', fr: 'non' },
  none: { en: 'none', fr: 'aucun' },
  good: { en: 'Good', fr: 'Bon' },
  bad: { en: 'Bad', fr: 'Mauvais' },
  unknown: { en: 'Unknown', fr: 'Inconnu' },
  report: { en: 'Report of nestctl', fr: 'Rapport de nestctl' },
} as const satisfies Record<string, Words>;

const LOCALES: Readonly<Record<Language, string>> = { en: 'en-CA', fr: 'fr-CA' };

/** How a reader of that language, in that zone, writes values. */
export interface Reader {
  readonly language: Language;
  /** An IANA zone. */
  readonly zone: string;
}

export function writeValue(value: Value, { language, zone }: Reader): string {
  if (value === null) return OURS.none[language];
  if (typeof value === 'boolean') return (value ? OURS.yes : OURS.no)[language];
  if (value instanceof Date) {
    return new Intl.DateTimeFormat(LOCALES[language], {
      dateStyle: 'long',
      timeStyle: 'long',
      timeZone: zone,
    }).format(value);
  }
  return typeof value === 'string' ? value : new Intl.NumberFormat(LOCALES[language]).format(value);
}
