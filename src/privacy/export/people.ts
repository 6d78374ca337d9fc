import sql from 'sql-template-tag';
import type { Language } from '../../evidence/index.js';
import type { Session } from '../../platform/database/session.js';
import type { PackageSubject } from './exportable-request.js';

/** How somebody is spelled in one column, as privacy.package_people has it. */
interface Spelling {
  readonly kind: string;
  readonly who: string;
  /** 1 core, 2 extended, 3 professional, 4 institutional. */
  readonly standing: string | null;
  readonly since: Date | null;
  readonly spelled: string | null;
  readonly names: 'name' | 'place' | 'email' | 'phone' | null;
}

/** Somebody else, under the name that stands for them all through the package. */
export interface OtherPerson {
  readonly alias: string;
  /** Their account, where they have one. */
  readonly id: string | undefined;
  readonly spellings: readonly { readonly text: string; readonly names: NonNullable<Spelling['names']> }[];
}

export interface People {
  readonly language: Language;
  readonly self: { readonly id: string; readonly spellings: OtherPerson['spellings'] };
  readonly others: readonly OtherPerson[];
}

/** What others are called, in the order in which they are numbered. */
const ALIASES = {
  parent: { en: 'Parent', fr: 'Parent' },
  relative: { en: 'Relative', fr: 'Proche' },
  carer: { en: 'Carer', fr: 'Intervenant' },
  child: { en: 'Child', fr: 'Enfant' },
  contact: { en: 'Contact', fr: 'Contact' },
  provider: { en: 'Provider', fr: 'Soignant' },
  caregiver: { en: 'Caregiver', fr: 'Gardien' },
  invitee: { en: 'Invitee', fr: 'Invité' },
  guardian: { en: 'Guardian', fr: 'Tuteur' },
  representative: { en: 'Representative', fr: 'Représentant' },
  person: { en: 'Person', fr: 'Personne' },
} as const;
type Role = keyof typeof ALIASES;
const ORDER = Object.keys(ALIASES) as Role[];

export const aliasOf = (role: Role, number: number, language: Language): string =>
  `${ALIASES[role][language]} ${number}`;

/** Everybody whom a package could name besides whom it is of, each with an alias. */
export async function readPeople(
  session: Session,
  { kind, id }: PackageSubject,
  language: Language,
): Promise<People> {
  const rows = await session.query<Spelling>(
    sql`select kind, who, standing, since, spelled, names from privacy.package_people(${id}::uuid, ${kind})`,
  );
  const [self, others] = [new Map<string, Spelling[]>(), new Map<string, Spelling[]>()];
  for (const row of rows) {
    const among = row.kind === 'self' ? self : others;
    const key = `${row.kind} ${row.who}`;
    among.set(key, [...(among.get(key) ?? []), row]);
  }
  const own = [...self.values()].flatMap(spellings);
  const ownAddresses = new Set(own.filter(({ names }) => names === 'email').map(({ text }) => lower(text)));
  const groups = [...others.entries()]
    .filter(
      ([, group]) =>
        !spellings(group).some((one) => one.names === 'email' && ownAddresses.has(lower(one.text))),
    )
    .map(([key, group]) => ({ key, group, role: roleOf(group), since: earliest(group) }))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.since - b.since || (a.key < b.key ? -1 : 1),
    );
  // The person is the first of their own kind: "Parent 2" is the other one.
  const standing = [...self.values()].flat().find((row) => row.standing !== null)?.standing;
  const first: Role | undefined = kind === 'child' ? 'child' : standing === '1' ? 'parent' : undefined;
  const numbers = new Map<Role, number>(first === undefined ? [] : [[first, 1]]);
  const alias = (role: Role) => {
    const number = (numbers.get(role) ?? 0) + 1;
    numbers.set(role, number);
    return aliasOf(role, number, language);
  };
  return {
    language,
    self: { id, spellings: own },
    others: groups.map(({ group, role }) => ({
      alias: alias(role),
      id: group[0]?.kind === 'member' ? group[0].who : undefined,
      spellings: spellings(group),
    })),
  };
}

function roleOf(group: readonly Spelling[]): Role {
  const { kind } = group[0] as Spelling;
  if (kind !== 'member') return (ORDER as readonly string[]).includes(kind) ? (kind as Role) : 'person';
  const standing = group.find((row) => row.standing !== null)?.standing;
  return standing === '1' ? 'parent' : standing === '2' ? 'relative' : standing == null ? 'person' : 'carer';
}

const lower = (text: string) => text.trim().toLowerCase();

const earliest = (group: readonly Spelling[]): number =>
  Math.min(...group.map(({ since }) => since?.getTime() ?? Number.MAX_SAFE_INTEGER));

function spellings(group: readonly Spelling[]): OtherPerson['spellings'] {
  return group.flatMap(({ spelled, names }) =>
    spelled === null || names === null ? [] : [{ text: spelled, names }],
  );
}
