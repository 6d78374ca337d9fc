import type { Actor } from './attempt.js';
import type { Case } from './cases.js';
import type { Table } from './declaration.js';
import { type Draft, Drafting } from './drafting.js';

const ANOTHER = `'nestctl access prove'`;
const OPERATOR = (login: string) =>
  `insert into ops.operators (login, display_name, email) values (${login}, 'nestctl', 'prove@prove.invalid') on conflict (login) do update set revoked_at = null`;
const DUTY = (login: string, duty: string) =>
  `insert into ops.operator_duties (login, duty) values (${login}, '${duty}') on conflict (login, duty) do update set revoked_at = null, expires_at = null`;

interface Grant {
  readonly operator?: string;
  readonly kind?: 'impersonation' | 'read';
  readonly person?: string;
  /** SQL of its times. */
  readonly opened?: string;
  readonly expires?: string;
  readonly closed?: string;
  readonly xid?: string;
}

/**
 * Sessions of an operator who is allowed to act as a member, and of operators who lack one thing for it. Such a grant
 * counts only when an earlier transaction committed it, so its trigger is off while it is written here: for weakening
 * only, where tables are locked anyway.
 */
export class OperatorDrafts extends Drafting {
  operators(): Draft[] {
    const one = this.model.owners[0] as Case;
    const { elder } = this.model;
    const before = `clock_timestamp() - interval '10 minutes'`;
    const session = 'session_user';
    const admin = [DUTY(session, 'admin')];
    const lacking = [
      this.#tried('whose grant is for another person', one, admin, { person: elder }),
      this.#tried('whose grant is of another operator', one, admin, { operator: ANOTHER }),
      this.#tried('whose grant is for reading', one, admin, { kind: 'read' }),
      this.#tried('whose grant was closed', one, admin, { closed: 'clock_timestamp()' }),
      this.#tried('whose grant expired', one, admin, {
        opened: before,
        expires: `${before} + interval '1 minute'`,
      }),
      this.#tried('whose grant is not committed', one, admin, { xid: 'pg_current_xact_id()' }),
      this.#tried('without the duty', one, [
        `delete from ops.operator_duties where login = ${session} and duty = 'admin'`,
        DUTY(session, 'support'),
      ]),
      this.#tried('whose duty was revoked', one, [
        ...admin,
        `update ops.operator_duties set revoked_at = now() where login = ${session}`,
      ]),
      this.#tried('whose duty expired', one, [
        ...admin,
        `update ops.operator_duties set granted_at = now() - interval '2 days', expires_at = now() - interval '1 day' where login = ${session}`,
      ]),
      this.#tried('who was revoked', one, [
        ...admin,
        `update ops.operators set revoked_at = now() where login = ${session}`,
      ]),
      this.#tried(
        'who names an explanation by hand',
        one,
        [`select set_config('nestsync.explaining', gen_random_uuid()::text, true)`],
        { person: elder },
      ),
    ];
    return [...this.#tried('with a live grant', one, admin, {}, true), ...lacking.flat()];
  }

  #tried(title: string, one: Case, duties: readonly string[], grant: Grant = {}, live = false): Draft[] {
    const actor: Actor = {
      title: `an operator ${title}, as a member`,
      role: 'authenticated',
      person: one.person,
      registered: false,
      standing: undefined,
    };
    const setup = [
      OPERATOR('session_user'),
      OPERATOR(ANOTHER),
      DUTY(ANOTHER, 'admin'),
      ...duties,
      ...grantOf(one, grant),
    ];
    const seen = (table: Table, owner: string) => (live ? this.rowsOf(table, owner).map(({ id }) => id) : []);
    return [
      { ...this.select('children', actor, seen('children', one.family)), setup: setup.join(';\n') },
      { ...this.select('users', actor, seen('users', one.person)), setup: setup.join(';\n') },
    ];
  }
}

function grantOf({ person }: Case, grant: Grant): string[] {
  const { operator = 'session_user', kind = 'impersonation', xid = `'3'::xid8`, closed = 'null' } = grant;
  const opened = grant.opened ?? `clock_timestamp() - interval '1 minute'`;
  const expires = grant.expires ?? `clock_timestamp() + interval '30 minutes'`;
  return [
    'alter table ops.access_grants disable trigger access_grants_stamp',
    `insert into ops.access_grants (operator, duty, kind, user_id, reason, ticket, opened_at, expires_at, closed_at, opened_xid)
     values (${operator}, 'admin', '${kind}', '${grant.person ?? person}', 'nestctl access prove', 'PROVE-1', ${opened}, ${expires}, ${closed}, ${xid})`,
  ];
}
