import { plainAscii } from './names.js';
import type { Province } from './places.js';
import type { Random } from './random.js';

export interface CardHolder {
  readonly firstName: string;
  readonly lastName: string;
  /** YYYY-MM-DD. */
  readonly dateOfBirth: string;
  readonly girl: boolean;
}

/**
 * A number in the shape that the province's cards have. Each has zeros where issued numbers run on (`000`;
 * `00` at the end in Quebec), so it is plainly made up.
 */
export function healthCardNumber(random: Random, province: Province, holder: CardHolder): string {
  switch (province) {
    case 'ON':
      return `${random.between(1, 9)}${random.digits(3)}-000-${random.digits(3)}-${letter(random)}${letter(random)}`;
    case 'QC':
      return quebecNumber(holder);
    case 'BC':
      return `9${random.digits(3)} 000 ${random.digits(3)}`;
    case 'NS':
      return `0000 ${random.digits(3)} ${random.digits(3)}`;
    case 'PE':
      return `${random.digits(5)}000`;
    case 'NL':
      return `${random.digits(3)} 000 ${random.digits(3)} ${random.digits(3)}`;
    case 'NT':
      return `${random.pick(['N', 'D', 'M', 'T'])}${random.digits(4)}000`;
    case 'NU':
      return `1${random.digits(2)} 000 ${random.digits(3)}`;
    case 'YT':
      return `002 000 ${random.digits(3)}`;
    case 'AB':
      return `${random.digits(5)}-0000`;
    case 'MB':
    case 'NB':
    case 'SK':
      return `${random.digits(3)} 000 ${random.digits(3)}`;
  }
}

/** Three letters of the last name, one of the first; birth, with 50 added to a girl's month; two digits. */
function quebecNumber({ firstName, lastName, dateOfBirth, girl }: CardHolder): string {
  const letters = `${plainAscii(lastName).replace('-', '').slice(0, 3).padEnd(3, 'x')}${plainAscii(firstName)[0]}`;
  const [year = '', month = '', day = ''] = dateOfBirth.split('-');
  const coded = String(Number(month) + (girl ? 50 : 0)).padStart(2, '0');
  return `${letters.toUpperCase()} ${year.slice(2)}${coded} ${day}00`;
}

function letter(random: Random): string {
  return random.pick(['A', 'B', 'C', 'E', 'H', 'K', 'N', 'P', 'R', 'T', 'X', 'Y']);
}
