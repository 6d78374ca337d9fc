import sql from 'sql-template-tag';
import type { Connection } from '../database/connection.js';
import { NestctlError } from '../errors.js';
import type { OperatorChange } from './operator.js';

export interface FirstAdmin {
  readonly login: string;
  readonly name: string;
  readonly email: string;
}

export interface BootstrapPlan extends FirstAdmin {
  readonly duties: readonly ['admin'];
  /** The admins there are. */
  readonly admins: readonly string[];
  readonly login_exists: boolean;
}

/** What would be done on the owner's connection. Throws `conflict` where two admins exist. */
export async function planBootstrap(owner: Connection, wish: FirstAdmin): Promise<BootstrapPlan> {
  const { admins, login_exists } = await owner.one<{ admins: string[]; login_exists: boolean }>(sql`
    select array(select o.login from ops.operators o where private.has_duty(o.login, 'admin') order by 1) as admins,
      exists (select from pg_catalog.pg_roles where rolname = ${wish.login}) as login_exists`);
  if (admins.length >= 2) {
    throw new NestctlError(`There are admins already: ${admins.join(', ')}.`, {
      kind: 'conflict',
      code: 'bootstrapped',
      hint: 'From here on they manage operators, one asking and another approving.',
      next: 'nestctl operator add',
    });
  }
  return { ...wish, duties: ['admin'], admins, login_exists };
}

/** Makes one of the first two admins: the owner's work, recorded under the owner's login. */
export async function bootstrapOperator(
  owner: Connection,
  { login, name, email }: FirstAdmin,
  why: { readonly reason: string; readonly ticket: string },
  verifier: string | undefined,
): Promise<OperatorChange> {
  const { done } = await owner.one<{ done: OperatorChange }>(sql`
    select ops.bootstrap_operator(${login}, ${name}, ${email}, ${why.reason}, ${why.ticket}, ${verifier ?? null}) as done`);
  return done;
}
