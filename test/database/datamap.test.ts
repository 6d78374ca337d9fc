import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection, connect, withConnection } from '../../src/platform/database/connection.js';
import { checkMap, explainColumn, showMap } from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

/** Whose transactions stay in the one that the test has begun and takes back. */
class Sandbox extends Connection {
  override async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.query('savepoint asked');
    try {
      return await work();
    } finally {
      await this.query('rollback to savepoint asked');
    }
  }
}

interface Violation {
  readonly violate: string;
  readonly mend: string;
  readonly object: string;
  readonly detail?: RegExp;
}

const declare = (table: string, columns: string) =>
  `select privacy.declare('${table}', '${columns}', 'subject', 'child', 'care', 'provided', 'care', 'family', 'delete')`;

const VIOLATIONS: Readonly<Record<string, readonly Violation[]>> = {
  unanswered_columns: [
    {
      violate: 'alter table public.children add column nickname text',
      mend: declare('public.children', 'nickname'),
      object: 'public.children',
      detail: /nickname/,
    },
    {
      violate: 'create table private.shoe_sizes (id int primary key, child uuid)',
      mend: `select privacy.declare_operational('private.shoe_sizes', 'id child')`,
      object: 'private.shoe_sizes',
      detail: /none of its columns/,
    },
    {
      violate: 'create schema other; create table other.things (a int)',
      mend: `select privacy.declare_operational('other.things', 'a')`,
      object: 'other.things',
    },
    {
      violate: 'create materialized view private.names as select name from public.children',
      mend: declare('private.names', 'name'),
      object: 'private.names',
    },
    {
      violate: 'create table auth.new_one (id uuid)',
      mend: `select privacy.declare_operational('auth.new_one', '*')`,
      object: 'auth.new_one',
    },
  ],
  answers_of_nothing: [
    {
      violate: 'alter table public.children rename column gender to sex',
      mend: `select privacy.undeclare('public.children', 'gender')`,
      object: 'public.children',
      detail: /what is gone: gender/,
    },
    {
      violate: 'alter table private.app_logins set schema ops',
      mend: `select privacy.undeclare('private.app_logins')`,
      object: 'private.app_logins',
      detail: /an answer names a table that is gone/,
    },
    {
      violate: `update privacy.subjects set root_columns = '{alias}' where subject = 'operator'`,
      mend: `update privacy.subjects set root_columns = '{login}' where subject = 'operator'`,
      object: 'ops.operators',
      detail: /subject operator/,
    },
    {
      violate: `update privacy.paths set to_columns = '{nobody}' where table_name = 'ops.moves' and path = 'to'`,
      mend: `update privacy.paths set to_columns = '{id}' where table_name = 'ops.moves' and path = 'to'`,
      object: 'public.families',
      detail: /path to of ops.moves/,
    },
  ],
  uncovered_foreign_keys: [
    {
      violate:
        'alter table public.families add constraint families_twin foreign key (created_by) references auth.people (id)',
      mend: `select privacy.declare_path('public.families', 'twin', 'link', null, null, 'created_by', 'auth.people', 'id')`,
      object: 'families_twin on public.families',
    },
    {
      violate: `select privacy.undeclare('public.usage_logs', 'inventory_item_id')`,
      mend: `select privacy.declare_path('public.usage_logs', 'item', 'link', null, null, 'family_id inventory_item_id', 'public.inventory_items', 'family_id id')`,
      object: 'usage_logs_item_fkey on public.usage_logs',
    },
    {
      violate: `update privacy.paths set to_columns = '{family_id,child_id}' where table_name = 'public.usage_logs' and path = 'item'`,
      mend: `update privacy.paths set to_columns = '{family_id,id}' where table_name = 'public.usage_logs' and path = 'item'`,
      object: 'usage_logs_item_fkey on public.usage_logs',
    },
  ],
  unreached_columns: [
    {
      violate: `delete from privacy.paths where table_name = 'public.usage_logs' and subject = 'author'`,
      mend: `select privacy.declare_path('public.usage_logs', 'author', 'author', 'author', 'joint', 'created_by', 'public.users', 'id')`,
      object: 'public.usage_logs',
      detail: /from an author to created_by/,
    },
    // It is there, and from where it goes nothing leads on to a person.
    {
      violate: `update privacy.paths set to_table = 'private.app_logins', to_columns = '{login}' where table_name = 'public.payment_methods' and path = 'self'`,
      mend: `select privacy.declare_path('public.payment_methods', 'self', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id')`,
      object: 'public.payment_methods',
      detail: /from an account/,
    },
  ],
  contradictory_erasures: [
    {
      violate: `update privacy.column_answers set erasure = 'sever' where table_name = 'public.inventory_items' and column_name = 'quantity_total'`,
      mend: `update privacy.column_answers set erasure = 'delete' where table_name = 'public.inventory_items' and column_name = 'quantity_total'`,
      object: 'public.inventory_items',
      detail: /quantity_total is to name nobody, and is NOT NULL/,
    },
    {
      violate: `update privacy.column_answers set anonymized_as = null where table_name = 'public.users' and column_name = 'email'`,
      mend: `update privacy.column_answers set anonymized_as = '''x@y''' where table_name = 'public.users' and column_name = 'email'`,
      object: 'public.users',
      detail: /email is to be anonymized to NULL/,
    },
    {
      violate: `update privacy.column_answers set erasure = 'anonymize', obligation = null, anonymized_as = 'gen_random_uuid()' where table_name = 'public.users' and column_name = 'id'`,
      mend: `update privacy.column_answers set erasure = 'keep', obligation = 'consent_evidence', anonymized_as = null where table_name = 'public.users' and column_name = 'id'`,
      object: 'public.users',
      detail: /id is to be changed, and is part of the key/,
    },
    {
      violate: `alter table public.users drop column retention_reason cascade; alter table public.users add column retention_reason text generated always as (language) stored`,
      mend: `update privacy.column_answers set erasure = 'keep', obligation = 'accountability' where table_name = 'public.users' and column_name = 'retention_reason'`,
      object: 'public.users',
      detail: /generated/,
    },
    {
      violate: `update privacy.column_answers set erasure = 'keep', obligation = 'tax_records' where table_name = 'public.payment_methods' and column_name = 'card_last4'`,
      mend: `update privacy.column_answers set erasure = 'delete', obligation = null where table_name = 'public.payment_methods' and column_name = 'card_last4'`,
      object: 'public.payment_methods',
      detail: /card_last4 kept in them/,
    },
    {
      violate: `update privacy.column_answers set erasure = 'anonymize' where table_name = 'public.children' and column_name = 'gender'`,
      mend: `update privacy.column_answers set erasure = 'delete' where table_name = 'public.children' and column_name = 'gender'`,
      object: 'public.children',
      detail: /for the child rows are to be deleted, and gender anonymized/,
    },
    // Of two tables the parent's rows would take the kept ones with them.
    {
      violate: `create table private.receipts (user_id uuid not null, id uuid not null, amount int, foreign key (user_id, id) references public.payment_methods (user_id, id) on delete cascade);
        select privacy.declare('private.receipts', 'user_id id amount', 'subject', 'account', 'payment', 'observed', 'billing', 'billing', 'keep', 'tax_records');
        select privacy.declare_path('private.receipts', 'method', 'link', null, null, 'user_id id', 'public.payment_methods', 'user_id id');
        select privacy.declare_path('private.receipts', 'self', 'direct', 'account', 'subject', 'user_id', 'public.users', 'id')`,
      mend: 'alter table private.receipts drop constraint receipts_user_id_id_fkey',
      object: 'private.receipts',
      detail: /rows are to stay, and go when those of public.payment_methods/,
    },
  ],
  contradictory_exports: [
    {
      violate: `update privacy.column_answers set category = 'credential' where table_name = 'public.users' and column_name = 'email'`,
      mend: `update privacy.column_answers set category = 'contact' where table_name = 'public.users' and column_name = 'email'`,
      object: 'public.users.email',
      detail: /lets somebody in/,
    },
    {
      violate: `update privacy.column_answers set whose = 'joint', exported = true where table_name = 'public.emergency_profiles' and column_name = 'phone_primary'`,
      mend: `update privacy.column_answers set whose = 'other', exported = false where table_name = 'public.emergency_profiles' and column_name = 'phone_primary'`,
      object: 'public.emergency_profiles.phone_primary',
      detail: /about a contact: another person/,
    },
    {
      violate: `update privacy.column_answers set exported = false, withheld = 'inconvenient' where table_name = 'public.users' and column_name = 'postal_code'`,
      mend: `update privacy.column_answers set exported = true, withheld = null where table_name = 'public.users' and column_name = 'postal_code'`,
      object: 'public.users.postal_code',
      detail: /portability/,
    },
  ],
  idle_words: [
    {
      violate: `insert into privacy.purposes values ('profiling', 'to know more than we need', 'none')`,
      mend: `delete from privacy.purposes where purpose = 'profiling'`,
      object: 'purpose profiling',
    },
    {
      violate: `insert into privacy.obligations values ('whim', 'we like to', 'none')`,
      mend: `delete from privacy.obligations where obligation = 'whim'`,
      object: 'obligation whim',
    },
  ],
  unread_proposals: [
    {
      violate: `update privacy.retentions set proposed = true where retention = 'billing'`,
      mend: `update privacy.retentions set proposed = false where retention = 'billing'`,
      object: 'retention billing',
    },
  ],
};

const PROPOSALS = [
  'obligation accountability',
  'retention access_record',
  'retention analytics',
  'retention inactive',
  'retention invitation',
  'retention notification',
  'retention staff',
];

let database: TestDatabase;
let superuser: Sandbox;

beforeAll(async () => {
  database = await createTestDatabase();
  const { client, target } = await connect(database.superuser);
  superuser = new Sandbox(client, target);
  // As the migrator does.
  await superuser.query('select pg_advisory_lock(1852142452, 1)');
  await superuser.query('create schema if not exists auth; create table auth.people (id uuid primary key)');
  await superuser.query(`select privacy.declare_operational('auth.people', '*')`);
});
afterAll(async () => {
  await superuser?.close();
  await database?.drop();
});

const found = async (name: string) =>
  (await checkMap(superuser)).findings.filter(
    (one) => one.name === name && !PROPOSALS.includes(one.object ?? ''),
  );

describe('the data map', () => {
  it('answers for every column there is, as the owner and every duty that reads it sees', async () => {
    const objects = async (work: Promise<{ findings: readonly { object: string | null }[] }>) =>
      (await work).findings.map(({ object }) => object);
    expect(await objects(withConnection(database.owner, checkMap))).toEqual(PROPOSALS);
    for (const duty of ['compliance', 'sre', 'admin']) {
      await withConnection(database.operators[0], async (session) => {
        await session.query(`set role nestsync_${duty}`);
        expect(await objects(checkMap(session)), duty).toEqual(PROPOSALS);
      });
    }
  });

  it('is shown to compliance, sre and admin, and to nobody else', async () => {
    for (const duty of ['support', 'auditor']) {
      await withConnection(database.operators[0], async (session) => {
        await session.query(`set role nestsync_${duty}`);
        await expect(showMap(session), duty).rejects.toMatchObject({ code: 'permission_denied' });
      });
    }
    await withConnection(await database.makeLogin('', 'nestsync_sre'), async (session) => {
      await session.query('set role nestsync_sre');
      // In the role, and not an operator.
      expect(await showMap(session)).toEqual({ answers: [], paths: [] });
    });
    await withConnection(database.app, async (app) => {
      await app.query('set role authenticated');
      await expect(showMap(app)).rejects.toMatchObject({ code: 'permission_denied' });
    });
  });

  it('says one table whole, in the order of its columns, and refuses one that it does not know', async () => {
    const { answers, paths } = await showMap(superuser, { table: 'usage_logs' });
    const columns = await superuser.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = 'public.usage_logs'::regclass and attnum > 0 and not attisdropped order by attnum`,
    );
    expect(answers.map(({ column }) => column)).toEqual(columns.map(({ name }) => name));
    expect(answers.find(({ column }) => column === 'caregiver_name')).toMatchObject({
      whose: 'other',
      subject: 'caregiver',
      exported: false,
      erasure: 'anonymize',
    });
    expect(paths.map(({ path }) => path)).toEqual(['author', 'caregiver', 'child', 'household', 'item']);
    await expect(showMap(superuser, { table: 'no_such' })).rejects.toMatchObject({
      code: 'not_mapped',
      exitCode: 5,
    });
  });

  it('changes only by migration, whoever asks', async () => {
    for (const table of ['column_answers', 'paths', 'retentions']) {
      for (const statement of [`delete from privacy.${table}`, `truncate privacy.${table} cascade`]) {
        await withConnection(database.owner, async (owner) => {
          await expect(owner.query(statement), statement).rejects.toThrow(/changes only by migration/);
        });
      }
    }
    await withConnection(database.owner, async (owner) => {
      await expect(owner.query(declare('public.children', 'name'))).rejects.toThrow(/only by migration/);
    });
  });

  it('takes no answer for what is not there, and no value that a column cannot hold', async () => {
    const refused = async (statement: string, message: RegExp) => {
      await superuser.query('begin');
      try {
        await expect(superuser.query(statement), statement).rejects.toThrow(message);
      } finally {
        await superuser.query('rollback');
      }
    };
    await refused(declare('public.children', 'nickname'), /no column nickname/);
    await refused(declare('public.no_such', 'a b'), /no column a, b/);
    await refused(declare('public.children', '*'), /no column \*/);
    await refused(
      `select privacy.declare('public.users', 'failed_login_attempts', 'subject', 'account', 'usage', 'observed', 'security', 'account', 'anonymize', anonymized_as => '''many''')`,
      /22P02/,
    );
    await refused(
      `select privacy.declare('public.users', 'email', 'subject', 'account', 'contact', 'provided', 'a whim', 'account', 'delete')`,
      /column_answers_purpose_fkey/,
    );
    await refused(
      `select privacy.declare_path('public.users', 'x', 'direct', 'account', 'subject', 'id', 'public.users', 'uuid')`,
      /no column uuid/,
    );
  });
});

describe('datamap check', () => {
  it('has a violation here for every rule', async () => {
    const { rules } = await checkMap(superuser);
    expect(Object.keys(VIOLATIONS)).toEqual(rules.map(({ name }) => name));
    for (const { about } of rules) expect(about).toMatch(/^[A-Z].{30,}[.]$/);
  });
});

describe.each(Object.entries(VIOLATIONS))('%s', (name, violations) => {
  it.each(violations)('finds one after: $violate', async ({ violate, mend, object, detail }) => {
    await superuser.query('begin');
    try {
      expect(await found(name)).toEqual([]);
      await superuser.query(violate);
      const findings = await found(name);
      expect(findings.map((one) => one.object)).toEqual([object]);
      expect(findings[0]?.detail).toMatch(detail ?? /.{8}/);
      await superuser.query(mend);
      expect(await found(name)).toEqual([]);
    } finally {
      await superuser.query('rollback');
    }
  });
});

describe('datamap explain', () => {
  it('says in words, with the law, what becomes of another person named here', async () => {
    const { words, paths, proposed } = await explainColumn(superuser, 'emergency_profiles.contact_name');
    expect(words.whose).toMatch(/another person's.*emergency contact/);
    expect(words.erasure).toMatch(/the row stays, and 'erased on request' stands there .*4\.5\.3/);
    expect(words.export).toMatch(/severed.*s\. 9\(1\)/);
    expect(proposed).toBe(false);
    expect(paths).toEqual([
      { path: 'contact', via: 'direct', whose: 'subject', condition: '(family_id, id) = ($1, $2)' },
    ]);
  });

  it('says what is kept and why, what is withheld and why, and what nobody who knows the law has read', async () => {
    const kept = await explainColumn(superuser, 'public.subscriptions.amount');
    expect(kept.words.erasure).toMatch(/it stays: .*Income Tax Act/);
    expect(kept.words.retention).toMatch(/^7 years from the end of the subscription/);
    const withheld = await explainColumn(superuser, 'ops.moves.reason');
    expect(withheld.words.export).toMatch(/^withheld: .*9\(1\)/);
    const proposal = await explainColumn(superuser, 'family_invitations.email');
    expect(proposal).toMatchObject({ proposed: true });
    expect(proposal.words.retention).toMatch(/^90 days from/);
    expect((await explainColumn(superuser, 'privacy.paths.via')).words).toMatchObject({
      whose: "nobody's: operational",
      erasure: 'nothing: it holds nobody',
    });
    // One of the platform's that answers with all others of its table.
    expect((await explainColumn(superuser, 'auth.sessions.user_agent')).answer.column).toBe('*');
    for (const name of ['nothing', '']) {
      await expect(explainColumn(superuser, name), name).rejects.toMatchObject({
        code: 'usage',
        exitCode: 2,
      });
    }
    for (const name of ['children.nickname', 'no_such.table.column']) {
      await expect(explainColumn(superuser, name), name).rejects.toMatchObject({
        code: 'not_mapped',
        exitCode: 5,
      });
    }
  });

  it('has a sentence for every column of the map', async () => {
    const { answers } = await showMap(superuser);
    for (const { table, column } of answers) {
      const { words } = await explainColumn(superuser, `${table}.${column}`);
      expect(Object.values(words).join(' '), `${table}.${column}`).not.toMatch(/null|undefined/);
    }
    expect(answers.length).toBeGreaterThan(500);
  });
});

describe('a path as a condition', () => {
  it('finds exactly the rows that a household, an author, a child and an address reach', async () => {
    const ids = async (table: string, path: string, values: readonly unknown[]) => {
      const [found] = await superuser.query<{ condition: string }>(
        'select privacy.path_condition($1, $2) as condition',
        [table, path],
      );
      const rows = await superuser.query<{ id: string }>(
        `select id from ${table} where ${found?.condition} order by id`,
        [...values],
      );
      return rows.map(({ id }) => id.slice(-1));
    };
    const id = (end: number) => `00000000-0000-4000-8000-00000000000${end}`;
    await superuser.query('begin');
    try {
      await superuser.query(`
        insert into public.users (id, email, status) values ('${id(1)}', 'Ana@nestsync.example', 'active'), ('${id(2)}', 'ben@nestsync.example', 'active');
        insert into public.families (id, name) values ('${id(3)}', 'One'), ('${id(4)}', 'Two');
        insert into public.family_members (family_id, id, user_id, role) values ('${id(3)}', '${id(5)}', '${id(1)}', 'family_core'), ('${id(4)}', '${id(6)}', '${id(2)}', 'family_core');
        insert into public.children (family_id, id, name, date_of_birth, created_by) values ('${id(3)}', '${id(7)}', 'Zoe', '2025-01-01', '${id(2)}'), ('${id(4)}', '${id(8)}', 'Max', '2025-01-01', '${id(2)}');
        insert into public.family_invitations (family_id, id, email, role, token_hash) values ('${id(4)}', '${id(9)}', 'ana@NESTSYNC.example', 'professional', 'x')`);
      expect(await ids('public.children', 'household', [id(1)])).toEqual(['7']);
      expect(await ids('public.children', 'author', [id(2)])).toEqual(['7', '8']);
      expect(await ids('public.children', 'self', [id(4), id(8)])).toEqual(['8']);
      expect(await ids('public.family_invitations', 'account', [id(1)])).toEqual(['9']);
      expect(await ids('public.family_invitations', 'address', ['ANA@nestsync.example'])).toEqual(['9']);
      expect(await ids('public.family_invitations', 'household', [id(1)])).toEqual([]);
    } finally {
      await superuser.query('rollback');
    }
  });
});

describe('every path', () => {
  it('is a condition that the server plans, or a link', async () => {
    const paths = await superuser.query<{
      table: string;
      path: string;
      via: string;
      condition: string | null;
      there: boolean;
    }>(
      `select p.table_name as table, p.path, p.via, privacy.path_condition(p.table_name, p.path) as condition, to_regclass(p.table_name) is not null as there
       from privacy.paths p`,
    );
    expect(paths.filter(({ via, condition }) => (via === 'link') !== (condition === null))).toEqual([]);
    const planned = paths.filter(({ there, condition }) => there && condition !== null);
    expect(planned.length).toBeGreaterThan(60);
    for (const { table, path, condition } of planned) {
      await superuser.query('begin');
      await superuser.query(`prepare asked as select from ${table} where ${condition}`).catch((error) => {
        throw new Error(`${table} ${path}: ${condition}: ${error.message}`);
      });
      await superuser.query('rollback');
      await superuser.query('deallocate all');
    }
  });
});
