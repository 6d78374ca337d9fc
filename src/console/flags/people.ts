import * as Flags from '@oclif/core/flags';
import { isZone, systemZone } from '../../platform/zone.js';
import { parseDeadline } from '../time/parse-deadline.js';
import { parseUuid, uuidFlag } from './values.js';

/** A person by e-mail address or id. */
export const personFlag = Flags.custom<string>({
  helpValue: 'E-MAIL|ID',
  parse: async (input) => {
    if (/^[^@\s]+@[^@\s]+$/.test(input)) return input;
    try {
      return parseUuid(input);
    } catch {
      throw new Error(`"${input}" is neither an e-mail address nor an id`);
    }
  },
});

export const roleFlag = Flags.custom<'family_core' | 'extended_family' | 'professional' | 'institutional'>({
  options: ['family_core', 'extended_family', 'professional', 'institutional'],
});

export interface PlannedRole {
  /** An id or e-mail address. */
  readonly who: string;
  readonly role: string;
}

/** A role that a member might get, as USER=ROLE; an address may hold an equals sign itself. */
export const plannedRoleFlag = Flags.custom<PlannedRole>({
  helpValue: 'USER=ROLE',
  parse: async (input) => {
    const [, who, role] = /^(.+)=([^=]+)$/s.exec(input) ?? [];
    if (who === undefined || role === undefined)
      throw new Error(`"${input}" does not say whom and which role: write USER=ROLE`);
    return { who, role };
  },
});

/** When something is to end: `30d`, a date (its last instant here) or a time; null for `never`. */
export const deadlineFlag = Flags.custom<Date | null>({
  helpValue: '30d|2027-11-01|never',
  parse: async (input) => (input === 'never' ? null : parseDeadline(input, systemZone())),
});

/** Which membership. */
export const memberFlags = {
  family: uuidFlag({ description: 'the family', required: true }),
  user: personFlag({ description: 'the member', required: true }),
};

/** Permissions such as `usage:read`, separated by commas; `none` for none. */
export const permissionsFlag = Flags.custom<string[]>({
  helpValue: 'usage:read,inventory:write|none',
  parse: async (input) => {
    const names = input === 'none' ? [] : input.split(',').map((name) => name.trim());
    const odd = names.find((name) => !/^[a-z_]+:(read|insert|update|delete|write)$/.test(name));
    if (odd !== undefined)
      throw new Error(`"${odd}" is no permission: write resource:read, or insert, update, delete, write`);
    return names;
  },
});

/** IANA name of a time zone. */
export const zoneFlag = Flags.custom<string>({
  helpValue: 'America/Toronto',
  parse: async (input) => {
    if (!isZone(input)) throw new Error(`there is no zone "${input}"`);
    return input;
  },
});
