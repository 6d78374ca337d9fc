import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import type { Duty } from '../../src/platform/database/duties.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { asService, makeFamily, type SmallFamily } from '../support/small-world.js';

let database: TestDatabase;
let family: SmallFamily;
let other: SmallFamily;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  family = await makeFamily(database, { name: 'Tremblay' });
  other = await makeFamily(database, { name: 'Gagnon' });
});
afterAll(() => database?.drop());

interface Grant {
  readonly family?: string;
  readonly user?: string;
}

/** A session as somebody with psql would have it: a duty taken, a grant opened, reason and ticket said or not. */
async function asStaff<T>(
  duty: Duty,
  grants: readonly Grant[],
  work: (session: Connection) => Promise<T>,
  purpose: { readonly reason?: string; readonly ticket?: string } = {
    reason: 'a test of family management',
    ticket: 'SUP-1',
  },
): Promise<T> {
  return await withConnection(await database.makeOperator(duty), async (session) => {
    await session.query(`set role nestsync_${duty}`);
    for (const grant of grants) {
      await session.query(
        `select ops.open_access('read', 'a test of family management', 'SUP-1', 10, $1, $2)`,
        [grant.family ?? null, grant.user ?? null],
      );
    }
    if (purpose.reason !== undefined)
      await session.query(`select set_config('nestsync.reason', $1, false)`, [purpose.reason]);
    if (purpose.ticket !== undefined)
      await session.query(`select set_config('nestsync.ticket', $1, false)`, [purpose.ticket]);
    return await work(session);
  });
}

const member = async (of: SmallFamily, user: string) =>
  await asService(database, (service) =>
    service.one<{ role: string; status: string; access_expires_at: Date | null; seen: string }>(
      'select role, status, access_expires_at, xmin::text as seen from public.family_members where family_id = $1 and user_id = $2',
      [of.id, user],
    ),
  );
const seen = async (of: SmallFamily, user: string) => (await member(of, user)).seen;

/** Every function that changes something, called as it should be. */
const CALLS: Readonly<
  Record<string, () => Promise<readonly [scope: Grant, sql: string, values: unknown[]]>>
> = {
  extend_member: async () => [
    { family: family.id },
    `select ops.extend_member($1, $2, now() + interval '1 day', $3)`,
    [family.id, family.gran.id, await seen(family, family.gran.id)],
  ],
  set_member_role: async () => [
    { family: family.id },
    `select ops.set_member_role($1, $2, 'professional', $3)`,
    [family.id, family.gran.id, await seen(family, family.gran.id)],
  ],
  set_member_permissions: async () => [
    { family: family.id },
    `select ops.set_member_permissions($1, $2, '{analytics:read}', '{usage:write}', $3)`,
    [family.id, family.gran.id, await seen(family, family.gran.id)],
  ],
  set_member_status: async () => [
    { family: family.id },
    `select ops.set_member_status($1, $2, 'suspended', $3)`,
    [family.id, family.gran.id, await seen(family, family.gran.id)],
  ],
  add_member: async () => [
    { family: family.id },
    `select ops.add_member($1, $2, 'professional', null)`,
    [family.id, other.gran.id],
  ],
  transfer_core: async () => [
    { family: family.id },
    `select ops.transfer_core($1, $2, $3, 'extended_family', $4, $5)`,
    [
      family.id,
      family.core.id,
      family.gran.id,
      await seen(family, family.core.id),
      await seen(family, family.gran.id),
    ],
  ],
  create_family: async () => [
    { user: family.gran.id },
    `select ops.create_family('Roy', 'standard', 'America/Montreal', 'QC', $1)`,
    [family.gran.id],
  ],
  rename_family: async () => [
    { family: family.id },
    `select ops.rename_family($1, 'Roy', (select xmin::text from public.families where id = $1))`,
    [family.id],
  ],
  archive_family: async () => [
    { family: family.id },
    `select ops.archive_family($1, (select xmin::text from public.families where id = $1))`,
    [family.id],
  ],
  restore_family: async () => {
    await asService(database, (service) =>
      service.query('update public.families set archived_at = now() where id = $1', [family.id]),
    );
    return [
      { family: family.id },
      `select ops.restore_family($1, (select xmin::text from public.families where id = $1))`,
      [family.id],
    ];
  },
  suspend_user: async () => [
    { user: family.gran.id },
    `select ops.suspend_user($1, (select xmin::text from public.users where id = $1))`,
    [family.gran.id],
  ],
  reinstate_user: async () => {
    await asService(database, (service) =>
      service.query(`update public.users set status = 'suspended' where id = $1`, [family.gran.id]),
    );
    return [
      { user: family.gran.id },
      `select ops.reinstate_user($1, (select xmin::text from public.users where id = $1))`,
      [family.gran.id],
    ];
  },
  resend_verification: async () => [
    { user: family.gran.id },
    `select ops.resend_verification($1, (select xmin::text from public.users where id = $1))`,
    [family.gran.id],
  ],
  create_invitation: async () => [
    { family: family.id },
    `select ops.create_invitation($1, 'new@example.ca', 'professional', now() + interval '7 days')`,
    [family.id],
  ],
  resend_invitation: async () => {
    const id = await invitation();
    return [
      { family: family.id },
      `select ops.resend_invitation($1, $2, now() + interval '7 days', (select xmin::text from public.family_invitations where id = $2))`,
      [family.id, id],
    ];
  },
  revoke_invitation: async () => {
    const id = await invitation();
    return [
      { family: family.id },
      `select ops.revoke_invitation($1, $2, (select xmin::text from public.family_invitations where id = $2))`,
      [family.id, id],
    ];
  },
};

const invitation = async () =>
  await asService(database, async (service) => {
    const { id } = await service.one<{ id: string }>(
      `insert into public.family_invitations (family_id, email, role, token_hash) values ($1, 'aunt@example.ca', 'professional', $2) returning id`,
      [family.id, Buffer.from(randomUUID())],
    );
    return id;
  });

it('every function of family management is called here', async () => {
  const functions = await withConnection(database.owner, (owner) =>
    owner.query<{ name: string }>(`
      select p.proname as name from pg_proc p
      where p.pronamespace = 'ops'::regnamespace and p.prosrc ~ 'require_(family|person)|(member|family|account|invitation)_to_change' order by 1`),
  );
  expect(functions.map(({ name }) => name)).toEqual([...Object.keys(CALLS), 'link_accounts'].sort());
});

describe.each(Object.keys(CALLS))('%s', (name) => {
  const call = async () => (await CALLS[name]?.()) ?? Promise.reject(new Error(name));

  it('works within its grant, and names operator, duty, reason and ticket in the log', async () => {
    const [scope, sql, values] = await call();
    const operator = await asStaff('support', [scope], async (session) => {
      await session.query(sql, values);
      return session.target.user;
    });
    const events = await withConnection(database.superuser, (all) =>
      all.query<{ duty: string; reason: string; ticket: string }>(
        `select distinct duty, reason, ticket from audit.events where session_login = $1 and table_name <> 'ops.access_grants'`,
        [operator],
      ),
    );
    expect(events).toEqual([{ duty: 'support', reason: 'a test of family management', ticket: 'SUP-1' }]);
  });

  it('is refused without a grant, with one for somebody else, without reason or ticket, and to other duties', async () => {
    const [scope, sql, values] = await call();
    const refused = (duty: Duty, grants: Grant[], purpose?: Parameters<typeof asStaff>[3]) =>
      asStaff(duty, grants, (session) => session.query(sql, values), purpose).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    const wrong = scope.family === undefined ? { user: other.gran.id } : { family: other.id };
    expect(await refused('support', [])).toBe('no_grant');
    expect(await refused('support', [wrong])).toBe('no_grant');
    if (scope.user !== undefined) expect(await refused('support', [{ family: family.id }])).toBe('no_grant');
    expect(await refused('support', [scope], { ticket: 'SUP-1' })).toBe('reason_missing');
    expect(await refused('support', [scope], { reason: 'short', ticket: 'SUP-1' })).toBe('reason_missing');
    expect(await refused('support', [scope], { reason: 'a test of family management' })).toBe(
      'reason_missing',
    );
    expect(await refused('compliance', [scope])).toBe('permission_denied');
    expect(await refused('sre', [])).toBe('permission_denied');
  });
});

describe('what is bound to what was shown', () => {
  it('refuses a membership, family or account that has changed since', async () => {
    const before = await seen(family, family.gran.id);
    await asService(database, (service) =>
      service.query(
        `update public.family_members set access_expires_at = now() + interval '1 hour' where user_id = $1`,
        [family.gran.id],
      ),
    );
    await expect(
      asStaff('support', [{ family: family.id }], (session) =>
        session.query(`select ops.set_member_status($1, $2, 'removed', $3)`, [
          family.id,
          family.gran.id,
          before,
        ]),
      ),
    ).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('has changed since it was shown'),
    });
    expect((await member(family, family.gran.id)).status).toBe('active');
  });
});

describe('the last core member of a family with children', () => {
  const service = (sql: string, ...values: unknown[]) =>
    asService(database, (connection) => connection.query(sql, values));

  it.each([
    ['removed', `update public.family_members set status = 'removed' where family_id = $1 and user_id = $2`],
    [
      'suspended',
      `update public.family_members set status = 'suspended' where family_id = $1 and user_id = $2`,
    ],
    [
      'given another role',
      `update public.family_members set role = 'professional' where family_id = $1 and user_id = $2`,
    ],
    [
      'given an end',
      `update public.family_members set access_expires_at = now() + interval '1 day' where family_id = $1 and user_id = $2`,
    ],
    ['deleted', 'delete from public.family_members where family_id = $1 and user_id = $2'],
  ])('is never %s', async (_, sql) => {
    await expect(service(sql, family.id, family.core.id)).rejects.toMatchObject({ code: 'conflict' });
    expect(await member(family, family.core.id)).toMatchObject({
      role: 'family_core',
      status: 'active',
      access_expires_at: null,
    });
  });

  it('cannot be deleted as an account either', async () => {
    await expect(service('delete from public.users where id = $1', family.core.id)).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('may go where no child is left, and with the family itself', async () => {
    await service('update public.children set deleted_at = now() where family_id = $1', other.id);
    await service(`update public.family_members set status = 'removed' where family_id = $1`, other.id);
    await service('delete from public.families where id = $1', family.id);
  });

  it('stays when two core members remove each other at once', async () => {
    await service(`update public.family_members set role = 'family_core' where family_id = $1`, family.id);
    for (const isolation of ['read committed', 'repeatable read', 'serializable']) {
      await service(
        `update public.family_members set status = 'active' where family_id = $1 and status = 'removed'`,
        family.id,
      );
      const outcomes = await removeEachOther(isolation);
      expect(
        outcomes.filter((outcome) => outcome === 'done'),
        `${isolation}: ${outcomes}`,
      ).toHaveLength(1);
    }
  });

  const removeEachOther = async (isolation: string): Promise<string[]> => {
    const sessions = await Promise.all([connect(database.service), connect(database.service)]);
    try {
      const people = [family.core.id, family.gran.id];
      for (const [at, session] of sessions.entries()) {
        await session.query('set role service_role');
        await session.query(`begin isolation level ${isolation}`);
        await session.query(
          `update public.family_members set status = 'removed' where family_id = $1 and user_id = $2`,
          [family.id, people[at]],
        );
      }
      return await Promise.all(
        sessions.map((session) =>
          session.query('commit').then(
            () => 'done',
            (error: { code: string }) => error.code,
          ),
        ),
      );
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
    }
  };
});

describe('linking two accounts of one person', () => {
  it('moves the memberships, suspends the duplicate, and needs a grant for each', async () => {
    const run = (grants: Grant[]) =>
      asStaff('support', grants, (session) =>
        session.one<{ moved: number }>(
          `select ops.link_accounts($1, $2, (select xmin::text from public.users where id = $1), (select xmin::text from public.users where id = $2)) as moved`,
          [family.gran.id, other.gran.id],
        ),
      );
    await expect(run([{ user: family.gran.id }])).rejects.toMatchObject({ code: 'no_grant' });
    expect(await run([{ user: family.gran.id }, { user: other.gran.id }])).toEqual({ moved: 1 });
    expect(await member(other, family.gran.id)).toMatchObject({ role: 'extended_family', status: 'active' });
    expect((await member(other, other.gran.id)).status).toBe('removed');
    const [account] = await asService(database, (service) =>
      service.query<{ status: string }>('select status from public.users where id = $1', [other.gran.id]),
    );
    expect(account?.status).toBe('suspended');
  });

  it('is refused where both are members of one family', async () => {
    await expect(
      asStaff('support', [{ user: family.gran.id }, { user: family.core.id }], (session) =>
        session.query(
          `select ops.link_accounts($1, $2, (select xmin::text from public.users where id = $1), (select xmin::text from public.users where id = $2))`,
          [family.gran.id, family.core.id],
        ),
      ),
    ).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('invitations', () => {
  it('leave no token with anybody, wait for the application, and close the links sent before', async () => {
    const id = await invitation();
    const hash = () =>
      asService(database, (service) =>
        service.one<{ token_hash: Buffer }>(
          'select token_hash from public.family_invitations where id = $1',
          [id],
        ),
      );
    const before = await hash();
    await asStaff('support', [{ family: family.id }], async (session) => {
      const resend = `select ops.resend_invitation($1, $2, now() + interval '7 days', (select xmin::text from public.family_invitations where id = $2))`;
      await session.query(resend, [family.id, id]);
      await session.query(resend, [family.id, id]);
      await expect(session.query('select token_hash from public.family_invitations')).rejects.toMatchObject({
        code: 'permission_denied',
      });
    });
    expect(await hash()).not.toEqual(before);
    const waiting = await asService(database, (service) =>
      service.query('select id from ops.waiting_invitation_mails() where invitation_id = $1', [id]),
    );
    expect(waiting).toHaveLength(1);
  });

  it('are not made for a member, twice, or in an archived family', async () => {
    const create = (email: string) =>
      asStaff('support', [{ family: family.id }], (session) =>
        session.query(`select ops.create_invitation($1, $2, 'professional', now() + interval '7 days')`, [
          family.id,
          email,
        ]),
      );
    await expect(create(family.gran.email.toUpperCase())).rejects.toMatchObject({ code: 'conflict' });
    await create('nanny@example.ca');
    await expect(create('Nanny@example.ca')).rejects.toMatchObject({ code: 'conflict' });
    await asService(database, (service) =>
      service.query('update public.families set archived_at = now() where id = $1', [family.id]),
    );
    await expect(create('uncle@example.ca')).rejects.toMatchObject({ code: 'conflict' });
  });
});
