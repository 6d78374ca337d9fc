import type { Random } from './random.js';

/** A random condition over the columns id, a, b, c, owner and flag of a table, nulls among them. */
export function randomCondition(random: Random, depth = 2): string {
  if (depth === 0 || random.chance(0.25)) return leaf(random);
  const part = () => randomCondition(random, depth - 1);
  switch (random.weighted({ and: 4, or: 4, not: 2, case: 1 })) {
    case 'and':
      return `(${part()} and ${part()}${random.chance(0.3) ? ` and ${part()}` : ''})`;
    case 'or':
      return `(${part()} or ${part()})`;
    case 'not':
      return `(not ${part()})`;
    default:
      return `(case when ${part()} then ${part()}${random.chance(0.5) ? ` when ${part()} then ${part()}` : ''}${random.chance(0.7) ? ` else ${part()}` : ''} end)`;
  }
}

function leaf(random: Random): string {
  const number = random.between(1, 4);
  return random.pick([
    `a > ${number}`,
    `b = ${number}`,
    'a = b',
    `c = 'x''é AND'`,
    'owner = current_user',
    'flag',
    'flag is not true',
    'true',
    'false',
    'null::boolean',
    'a is null',
    `a between 2 and ${number}`,
    `a = any (array[1, ${number}])`,
    `coalesce(b, ${number}) = 3`,
    `c = (select nullif(current_setting('request.jwt.claims', true), '')::json ->> 'team')`,
    'exists (select from fuzz.aux where aux.k = a and aux.v)',
    `a in (select k from fuzz.aux where k >= ${number})`,
    `hidden.even(a)`,
    `b = any ((select hidden.list(${number}))::int[])`,
  ]);
}

export interface FuzzRow {
  readonly id: number;
  readonly a: number | null;
  readonly b: number | null;
  readonly c: string | null;
  readonly owner: string;
  readonly flag: boolean | null;
}

export function randomRow(random: Random, roles: readonly string[]): FuzzRow {
  const number = () => (random.chance(0.15) ? null : random.between(1, 4));
  return {
    id: 1,
    a: number(),
    b: number(),
    c: random.chance(0.15) ? null : random.pick(["x'é AND", 'y']),
    owner: random.pick(roles),
    flag: random.pick([true, false, null]),
  };
}

/** Some policies of a table: any mixture of kinds, commands and roles, with and without a WITH CHECK. */
export function randomPolicies(random: Random, table: string, roles: readonly string[]): string[] {
  const wide = `create policy wide on ${table} using (${randomCondition(random)} or flag is not true)`;
  const some = Array.from({ length: random.between(1, 5) }, (_, at) => {
    const command = random.weighted({ all: 4, select: 3, insert: 2, update: 3, delete: 2 });
    const using = command === 'insert' ? '' : ` using (${randomCondition(random)})`;
    const mayCheck = command === 'all' || command === 'insert' || command === 'update';
    const check =
      command === 'insert' || (mayCheck && random.chance(0.5))
        ? ` with check (${randomCondition(random)})`
        : '';
    const kind = random.chance(0.8) ? 'permissive' : 'restrictive';
    const to = random.chance(0.4) ? 'public' : random.pick(roles);
    return `create policy p${at} on ${table} as ${kind} for ${command} to ${to}${using}${check}`;
  });
  return random.chance(0.6) ? [wide, ...some] : some;
}
