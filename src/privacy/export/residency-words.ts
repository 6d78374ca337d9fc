import { say, type Words } from '../../evidence/index.js';
import type { MeasuredPlace } from './residency.js';

/** What a person reads of it. */
export const PLACES: Readonly<Record<MeasuredPlace['place'], Words>> = {
  database: say('Region of the database', 'Région de la base de données'),
  package_store: say('Region from which packages are shared', 'Région d’où les envois sont remis'),
  archive_store: say('Region of the archives', 'Région des archives'),
};

export function placeWords({ region, how, why }: MeasuredPlace): Words {
  if (region !== null && how !== null) {
    const [en, fr] = HOW[how];
    return say(`${region} (${en})`, `${region} (${fr})`);
  }
  const [en, fr] = WHY[why ?? 'host_tells_nothing'];
  return say(`unknown: ${en}`, `inconnu : ${fr}`);
}

const HOW: Readonly<Record<NonNullable<MeasuredPlace['how']>, readonly [en: string, fr: string]>> = {
  pooler_name: ['by the name under which it was reached', 'd’après le nom sous lequel elle a été jointe'],
  bucket_head: ['as the store itself said', 'comme l’entrepôt l’a lui-même indiqué'],
};
const WHY: Readonly<Record<NonNullable<MeasuredPlace['why']>, readonly [en: string, fr: string]>> = {
  host_tells_nothing: [
    'the name under which it was reached does not tell',
    'le nom sous lequel elle a été jointe ne l’indique pas',
  ],
  store_does_not_tell: ['the store does not tell', 'l’entrepôt ne l’indique pas'],
  store_does_not_answer: ['the store did not answer', 'l’entrepôt n’a pas répondu'],
};
