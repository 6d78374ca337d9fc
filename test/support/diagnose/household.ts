import { randomUUID } from 'node:crypto';
import type { Connection } from '../../../src/platform/database/connection.js';

export type Role = 'family_core' | 'extended_family' | 'professional' | 'institutional';

export interface Account {
  readonly id: string;
  readonly email: string;
}

export interface Wishes {
  readonly role?: Role;
  readonly zone?: string;
  readonly email?: string;
  readonly first?: string;
  readonly last?: string;
  readonly phone?: string;
  readonly family?: string;
  readonly child?: string;
}

const PHONES = { from: 5_140_000_000, next: 0 };

/**
 * A family with somebody who will complain, written as the service writes it: two core members, the complainer, a
 * nanny, two children, logs of today, of yesterday and of long ago, and a row of everything else.
 */
export class Household {
  readonly id = randomUUID();
  readonly name: string;
  readonly zone: string;
  readonly role: Role;
  readonly children = [randomUUID(), randomUUID()] as const;
  /** All families of the case, this one first. */
  readonly families: string[] = [this.id];
  /** All people of the case. */
  readonly people: Account[] = [];
  me!: Account;
  core!: Account;
  nanny!: Account;
  readonly #service: Connection;
  readonly #wishes: Wishes;

  private constructor(service: Connection, wishes: Wishes) {
    this.#service = service;
    this.#wishes = wishes;
    this.name = wishes.family ?? 'Tremblay';
    this.zone = wishes.zone ?? 'America/Toronto';
    this.role = wishes.role ?? 'extended_family';
  }

  static async build(service: Connection, wishes: Wishes = {}): Promise<Household> {
    const home = new Household(service, wishes);
    home.core = await home.account({ first: 'Chantal' });
    home.nanny = await home.account({ first: 'Nora' });
    home.me = await home.account(wishes);
    await home.fill(home.id, home.name, home.children, home.core);
    await home.join(home.id, home.me, home.role);
    await home.join(home.id, home.nanny, 'professional');
    return home;
  }

  /** A statement as the service. */
  async sql<T>(statement: string, ...values: readonly unknown[]): Promise<T[]> {
    return await this.#service.query<T>(statement, values);
  }

  /** An address of its own around a name. */
  address(name: string): string {
    return `${name}.${randomUUID().slice(0, 8)}@example.ca`;
  }

  async account(
    wishes: Wishes & { readonly status?: string; readonly verified?: boolean } = {},
  ): Promise<Account> {
    const account = { id: randomUUID(), email: wishes.email ?? this.address('someone') };
    const phone = wishes.phone ?? `+1${PHONES.from + PHONES.next++}`;
    const verified = wishes.verified ?? true;
    await this.sql(
      `insert into public.users (id, email, first_name, last_name, display_name, status, email_verified_at, phone_number, phone_verified_at, last_login_at)
       values ($1, $2, $3, $4, $3, $5, case when $6 then now() - interval '200 days' end, $7, now() - interval '100 days', now() - interval '5 days')`,
      account.id,
      account.email,
      wishes.first ?? 'Marie',
      wishes.last ?? 'Tremblay',
      wishes.status ?? (verified ? 'active' : 'pending_verification'),
      verified,
      phone,
    );
    this.people.push(account);
    return account;
  }

  /** Another family of the case. */
  async another(
    name: string,
    core: Account,
    children: number,
    child = 'Zoé',
  ): Promise<{ id: string; children: string[] }> {
    const family = { id: randomUUID(), children: Array.from({ length: children }, () => randomUUID()) };
    this.families.push(family.id);
    await this.fill(family.id, name, family.children, core, child);
    return family;
  }

  async join(family: string, who: Account, role: Role): Promise<void> {
    await this.sql(
      `insert into public.family_members (family_id, user_id, role, joined_at, created_at)
       values ($1, $2, $3, now() - interval '90 days', now() - interval '90 days')`,
      family,
      who.id,
      role,
    );
  }

  /** Changes the complainer's own membership. */
  async member(change: string): Promise<void> {
    await this.sql(
      `update public.family_members set ${change} where family_id = $1 and user_id = $2`,
      this.id,
      this.me.id,
    );
  }

  async leave(): Promise<void> {
    await this.sql(
      'delete from public.family_members where family_id = $1 and user_id = $2',
      this.id,
      this.me.id,
    );
  }

  async invite(
    email: string,
    { role = this.role, status = 'pending', days = 5, family = this.id, by = null as string | null } = {},
  ): Promise<string> {
    const id = randomUUID();
    await this.sql(
      `insert into public.family_invitations (family_id, id, email, role, token_hash, status, created_at, expires_at, accepted_at, accepted_by)
       values ($1, $2::uuid, $3, $4, sha256(uuid_send($2::uuid)), $5::text, now() - interval '60 days', now() + make_interval(days => $6),
         case when $5 = 'accepted' then now() - interval '50 days' end, $7)`,
      family,
      id,
      email,
      role,
      status,
      days,
      by,
    );
    return id;
  }

  async consent(
    type: string,
    status: 'granted' | 'withdrawn',
    daysAgo: number,
    who = this.me,
  ): Promise<void> {
    await this.sql(
      `insert into public.consent_records (user_id, consent_type, status, consent_version, granted_at, withdrawn_at)
       values ($1, $2, $3::text, '1', now() - interval '300 days' + case when $3 = 'granted' then interval '300 days' - make_interval(days => $4) else interval '0' end,
         case when $3 = 'withdrawn' then now() - make_interval(days => $4) end)`,
      who.id,
      type,
      status,
      daysAgo,
    );
  }

  /** What the application does when the person opens the link of an invitation, or of a verification mail. */
  async accept(): Promise<void> {
    await this.sql(
      `update public.users set status = 'active', email_verified_at = coalesce(email_verified_at, now()) where id = $1 and status = 'pending_verification'`,
      this.me.id,
    );
    const [open] = await this.sql<{ family_id: string; id: string; role: Role }>(
      `select family_id, id, role from public.family_invitations
       where lower(email) = lower($1) and status = 'pending' and expires_at > now() order by created_at desc limit 1`,
      this.me.email,
    );
    if (open === undefined) return;
    await this.sql(
      `update public.family_invitations set status = 'accepted', accepted_at = now(), accepted_by = $2 where id = $1`,
      open.id,
      this.me.id,
    );
    await this.sql(
      `insert into public.family_members (family_id, user_id, role, joined_at) values ($1, $2, $3, now())
       on conflict (family_id, user_id) do update set status = 'active', role = excluded.role, joined_at = now()`,
      open.family_id,
      this.me.id,
      open.role,
    );
  }

  private async fill(
    family: string,
    name: string,
    children: readonly string[],
    core: Account,
    child = this.#wishes.child ?? 'Léa',
  ): Promise<void> {
    await this.sql(
      `insert into public.families (id, name, timezone, province, created_at) values ($1, $2, $3, 'QC', now() - interval '100 days')`,
      family,
      name,
      this.zone,
    );
    await this.join(family, core, 'family_core');
    for (const [at, id] of children.entries()) {
      await this.sql(
        `insert into public.children (family_id, id, name, date_of_birth) values ($1, $2, $3, '2025-02-03')`,
        family,
        id,
        at === 0 ? child : `Noé ${at}`,
      );
    }
    const [first] = children;
    if (first === undefined) return;
    await this.sql(
      `with logs as (insert into public.usage_logs (family_id, child_id, usage_type, logged_at, created_by)
         select $1, $2, 'diaper_change', at, $3 from unnest(array[now(),
           date_trunc('day', now() at time zone $4) at time zone $4 - interval '1 second', now() - interval '40 days']) at),
       items as (insert into public.inventory_items (family_id, child_id, product_type, quantity_total, quantity_remaining) values ($1, $2, 'diaper', 40, 20)),
       emergencies as (insert into public.emergency_profiles (family_id, child_id, contact_name) values ($1, $2, 'Mémé')),
       reorders as (insert into public.reorder_suggestions (family_id, child_id, product_type, product) values ($1, $2, 'wipes', 'Lingettes')),
       events as (insert into public.analytics_events (family_id, event_type) values ($1, 'opened'))
       insert into public.usage_analytics (family_id, child_id, period, period_start) values ($1, $2, 'day', '2026-01-01')`,
      family,
      first,
      core.id,
      this.zone,
    );
  }
}
