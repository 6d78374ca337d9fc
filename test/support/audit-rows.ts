/** A row of every table that an owner can write: how to insert, change and delete it. */
export interface TableRow {
  readonly insert: string;
  /** Absent where the table refuses it. */
  readonly update?: string;
  readonly delete?: string;
}

export const FAMILY = '10000000-0000-4000-8000-000000000001';
export const PERSON = '20000000-0000-4000-8000-000000000001';
const CHILD = '30000000-0000-4000-8000-000000000001';
const ITEM = '40000000-0000-4000-8000-000000000001';
const GRANT = '50000000-0000-4000-8000-000000000001';
const REQUEST = '60000000-0000-4000-8000-000000000001';
const ERASURE = 'e0000000-0000-4000-8000-0000000000e1';

const owned = (
  table: string,
  owner: 'family_id' | 'user_id',
  columns: string,
  values: string,
  set: string,
): TableRow => ({
  insert: `insert into ${table} (${owner}, ${columns}) values ('${owner === 'family_id' ? FAMILY : PERSON}', ${values})`,
  update: `update ${table} set ${set}`,
  delete: `delete from ${table}`,
});

/** In an order in which each row finds those it points to; deleted in the opposite order. */
export const TABLE_ROWS: Readonly<Record<string, TableRow>> = {
  'public.role_permissions': {
    insert: `insert into public.role_permissions values ('family_core', 'future_thing:read', 'all')`,
    update: `update public.role_permissions set row_scope = 'own' where permission = 'future_thing:read'`,
    delete: `delete from public.role_permissions where permission = 'future_thing:read'`,
  },
  'public.users': {
    insert: `insert into public.users (id, email, first_name, province, postal_code, last_login_ip)
      values ('${PERSON}', 'zoe@nestsync.example', 'Zoé', 'QC', 'H2X 1Y4', '2001:db8::1')`,
    update: `update public.users set last_name = 'Œuvrard', locked_until = now(), failed_login_attempts = 3`,
    delete: 'delete from public.users',
  },
  'public.families': {
    insert: `insert into public.families (id, name, settings, created_by) values ('${FAMILY}', 'Roy', '{"a": [1, null]}', '${PERSON}')`,
    update: `update public.families set archived_at = clock_timestamp(), settings = '{}'`,
    delete: 'delete from public.families',
  },
  'public.family_members': owned(
    'public.family_members',
    'family_id',
    'user_id, role, invited_by, granted_permissions',
    `'${PERSON}', 'professional', '${PERSON}', '{usage:read}'`,
    `status = 'suspended', invited_by = null`,
  ),
  'public.family_invitations': owned(
    'public.family_invitations',
    'family_id',
    'email, role, token_hash, invited_by',
    `'mamie@nestsync.example', 'extended_family', '\\xdeadbeef', '${PERSON}'`,
    `token_hash = '\\x00'`,
  ),
  'public.children': owned(
    'public.children',
    'family_id',
    'id, name, date_of_birth, current_weight_kg, created_by',
    `'${CHILD}', 'Léo', '2025-02-28', 7.50, '${PERSON}'`,
    `current_weight_kg = 8.00, size_history = '["1"]'`,
  ),
  'privacy.guardians': {
    insert: `insert into privacy.guardians (family_id, child_id, guardian_name, basis, evidence, from_date, added_by)
      values ('${FAMILY}', '${CHILD}', 'Zoé Œuvrard', 'parent', '{act_of_birth}', '2025-02-28', 'camille.roy')`,
    update: `update privacy.guardians set ended_on = '2026-01-31', end_ground = 'court_order', ended_by = 'camille.roy', ended_at = clock_timestamp()`,
    delete: 'delete from privacy.guardians',
  },
  'public.emergency_profiles': owned(
    'public.emergency_profiles',
    'family_id',
    'child_id, contact_name, health_card_number',
    `'${CHILD}', 'Grand-maman', 'ROYL 2502 2812'`,
    `blood_type = 'O-', has_epipen = true`,
  ),
  'public.inventory_items': owned(
    'public.inventory_items',
    'family_id',
    'id, child_id, product_type, quantity_total, quantity_remaining, cost_cad',
    `'${ITEM}', '${CHILD}', 'diaper', 80, 80, 34.99`,
    `quantity_remaining = 79, opened_date = '2026-01-31'`,
  ),
  'public.usage_logs': owned(
    'public.usage_logs',
    'family_id',
    'child_id, inventory_item_id, usage_type, caregiver_name, time_since_last_change',
    `'${CHILD}', '${ITEM}', 'diaper_change', 'Marie', '3 hours 5 minutes'`,
    `caregiver_name = null, was_wet = true`,
  ),
  'public.reorder_suggestions': owned(
    'public.reorder_suggestions',
    'family_id',
    'child_id, product_type, product, confidence',
    `'${CHILD}', 'diaper', 'Taille 3', 0.875`,
    `status = 'accepted'`,
  ),
  'public.analytics_events': owned(
    'public.analytics_events',
    'family_id',
    'event_type, properties',
    `'opened', '{"screen": "home"}'`,
    `properties = '{"screen": "list"}'`,
  ),
  'public.usage_analytics': owned(
    'public.usage_analytics',
    'family_id',
    'child_id, period, period_start, longest_gap, hourly_distribution',
    `'${CHILD}', 'week', '2026-11-16', '1 day', array_fill(1, array[24])`,
    `change_count = 5, cost_cad = 1.20`,
  ),
  'public.notification_preferences': owned(
    'public.notification_preferences',
    'user_id',
    'quiet_hours_start, device_tokens',
    `'22:30', '{secret-token}'`,
    `device_tokens = '{another,token}'`,
  ),
  'public.notification_logs': owned(
    'public.notification_logs',
    'user_id',
    'notification_type, channel, title, message',
    `'reorder', 'push', 'Bientôt à court', 'Il reste 5 couches'`,
    `delivery_status = 'sent', sent_at = now()`,
  ),
  'public.subscriptions': owned(
    'public.subscriptions',
    'user_id',
    'plan, province, amount, gst, qst, stripe_customer_id',
    `'family', 'QC', 9.99, 0.50, 1.00, 'cus_secret'`,
    `status = 'canceled', ended_at = clock_timestamp()`,
  ),
  'public.payment_methods': owned(
    'public.payment_methods',
    'user_id',
    'card_brand, card_last4, stripe_payment_method_id',
    `'visa', '4242', 'pm_secret'`,
    `is_default = true, stripe_payment_method_id = 'pm_other'`,
  ),
  'public.consent_records': owned(
    'public.consent_records',
    'user_id',
    'consent_type, status, consent_version, granted_at, ip_address, data_categories',
    `'child_data', 'granted', '2026-01', now(), '10.0.0.1/8', '{health,name}'`,
    `status = 'withdrawn', withdrawn_at = clock_timestamp()`,
  ),
  'ops.invitation_mails': {
    insert:
      'insert into ops.invitation_mails (family_id, invitation_id) select family_id, id from public.family_invitations limit 1',
    update: 'update ops.invitation_mails set sent_at = clock_timestamp()',
    delete: 'delete from ops.invitation_mails',
  },
  'private.app_logins': {
    insert: `insert into private.app_logins (login) values ('another_app')`,
    update: `update private.app_logins set registered_at = clock_timestamp() where login = 'another_app'`,
    delete: `delete from private.app_logins where login = 'another_app'`,
  },
  'ops.operators': {
    insert: `insert into ops.operators (login, display_name, email) values (session_user, 'The owner', 'owner@nestsync.example')`,
    update: `update ops.operators set display_name = 'The owner, too' where login = session_user`,
  },
  'ops.operator_duties': {
    insert: `insert into ops.operator_duties (login, duty) values (session_user, 'support')`,
    update: `update ops.operator_duties set expires_at = now() + interval '1 day' where login = session_user`,
    delete: `delete from ops.operator_duties where login = session_user`,
  },
  'ops.duty_permissions': {
    insert: `insert into ops.duty_permissions values ('support', 'future_thing', 'select', 'grant')`,
    update: `update ops.duty_permissions set condition = 'always' where resource = 'future_thing'`,
    delete: `delete from ops.duty_permissions where resource = 'future_thing'`,
  },
  'ops.access_grants': {
    insert: `insert into ops.access_grants (id, duty, kind, reason, ticket, expires_at)
      values ('${GRANT}', 'support', 'directory', 'caller lost their phone', 'SUP-1', clock_timestamp() + interval '10 minutes')`,
    update: `update ops.access_grants set closed_at = clock_timestamp()`,
  },
  'ops.directory_lookups': {
    insert: `insert into ops.directory_lookups (grant_id, looking_for, by, query) values ('${GRANT}', 'family', 'name', 'Tremblay')`,
  },
  'ops.approval_rules': {
    insert: `insert into ops.approval_rules values ('future_thing', 'support', 'support', '1 day', 'something to come')`,
    update: `update ops.approval_rules set about = 'something else' where action = 'future_thing'`,
  },
  // The owner takes no duty, so it has to put the triggers aside that read one.
  'ops.approvals': {
    insert: `alter table ops.approvals disable trigger approvals_stamp;
      insert into ops.approvals (action, plan, plan_hash, requested_by, duty, approver_duty, reason, ticket, requested_at, expires_at)
      values ('future_thing', '{"do": "it"}', 'x', session_user, 'support', 'support', 'a long enough reason', 'OPS-1', now(), now() + interval '1 day');
      alter table ops.approvals enable trigger approvals_stamp`,
    update: `update ops.approvals set decision = 'withdrawn', decided_reason = 'no longer needed'`,
  },
  'ops.access_reviews': {
    insert: `alter table ops.access_reviews disable trigger access_reviews_stamp;
      insert into ops.access_reviews (grant_id, operator, reviewer, duty, verdict, note, reviewed_at)
      values ('${GRANT}', 'somebody.else', session_user, 'admin', 'justified', 'a long enough note', now());
      alter table ops.access_reviews enable trigger access_reviews_stamp`,
  },
  'ops.access_explanations': {
    insert: `alter table ops.access_explanations disable trigger access_explanations_stamp;
      insert into ops.access_explanations (duty, person, table_name, row_key, command)
      values ('support', '${PERSON}', 'public.children', '{"id": "${CHILD}"}', 'select');
      alter table ops.access_explanations enable trigger access_explanations_stamp`,
  },
  'ops.access_diagnoses': {
    insert: `alter table ops.access_diagnoses disable trigger access_diagnoses_stamp;
      insert into ops.access_diagnoses (duty, person, family_id, permissions, child)
      values ('support', '${PERSON}', '${FAMILY}', '{usage:read}', 'Léa');
      alter table ops.access_diagnoses enable trigger access_diagnoses_stamp`,
  },
  'ops.impersonations': {
    insert: `alter table ops.impersonations disable trigger impersonations_stamp;
      insert into ops.impersonations (duty, person, grant_id, writes, statement)
      values ('admin', '${PERSON}', '${GRANT}', false, 'select 1');
      alter table ops.impersonations enable trigger impersonations_stamp`,
  },
  'ops.moves': {
    insert: `insert into ops.moves (kind, from_family, to_family, children, plan_hash, duty, reason, ticket)
      values ('child', '${FAMILY}', '${CHILD}', '{${CHILD}}', 'x', 'support', 'a long enough reason', 'SUP-1')`,
  },
  'audit.readings': {
    insert: `insert into audit.readings (duty, kind, question, family_id, user_id)
      values ('auditor', 'query', '{"where": "new.name ~ Léo"}', '${FAMILY}', '${PERSON}')`,
  },
  'audit.erasures': {
    insert: `alter table audit.erasures disable trigger erasures_stamp;
      insert into audit.erasures (approval_id, request) select id, 'PR-1' from ops.approvals;
      alter table audit.erasures enable trigger erasures_stamp`,
  },
  'ops.analytics_refreshes': {
    insert: 'insert into ops.analytics_refreshes (started_at) values (now())',
    update: `update ops.analytics_refreshes set started_at = started_at - interval '1 second'`,
    delete: 'delete from ops.analytics_refreshes',
  },
  'audit.archives': {
    insert: `insert into audit.archives (category, month, tree_from, tree_size, place) values ('access', '2024-03-01', 0, 9, 'the store')`,
    update: `update audit.archives set events = 2, first_leaf = 3, last_leaf = 4, leaves = repeat('a', 64), manifest = repeat('b', 64), record = '{}',
      recorded_at = clock_timestamp(), recorded_by = 'camille.roy'`,
  },
  'audit.archive_erasures': {
    insert: `insert into audit.archive_erasures (approval_id, archive_id, request) select e.approval_id, a.id, e.request from audit.erasures e, audit.archives a`,
    update: `update audit.archive_erasures set done_at = clock_timestamp(), done_by = 'camille.roy', events = 1, parts = 2`,
  },
  'audit.prunings': {
    insert: `insert into audit.prunings (category, month, years, kept_until, tree_from, tree_size, events, first_leaf, last_leaf, leaves, approval_id)
      select 'access', '2015-03-01', 3, '2018-04-01 00:00+00', 0, 9, 2, 3, 4, repeat('a', 64), id from ops.approvals`,
    update: `update audit.prunings set record = '{}', record_xid = '9', recorded_at = clock_timestamp(), recorded_by = 'camille.roy'`,
  },
  // One without the other is refused when the transaction ends.
  'privacy.requests': {
    insert: `alter table privacy.requests disable trigger requests_follow_steps;
      insert into privacy.requests (id, number, regime, kind, subject_kind, user_id, asks, channel, received_at, zone, language, limit_on, due_on, due_before, recourse_until)
      values ('${REQUEST}', 'REQ-2026-0001', 'pipeda', 'access', 'user', '${PERSON}', 'tout ce que vous avez', 'mail', '2026-01-05 17:00+00', 'America/Toronto', 'fr',
        '2026-02-04', '2026-02-04', '2026-02-05 05:00+00', '2026-08-04');
      alter table privacy.requests enable trigger requests_follow_steps`,
    update: `update privacy.requests set asks = null`,
  },
  'privacy.request_steps': {
    insert: `insert into privacy.request_steps (request_id, number, user_id, step, state, told) values ('${REQUEST}', 1, '${PERSON}', 'opened', 'open', 'reçu')`,
    update: `update privacy.request_steps set told = null`,
  },
  'privacy.legal_holds': {
    insert: `insert into privacy.legal_holds (number, user_id, basis, matter, review_on, placed_by) values ('HOLD-2026-0001', '${PERSON}', 'order', 'garde', (now() at time zone 'UTC')::date + 90, 'camille.roy')`,
    update: `update privacy.legal_holds set review_on = review_on + 1`,
  },
  'privacy.erasures': {
    insert: `insert into privacy.erasures (id, request, answers, person, families, ground, plan, plan_hash, catalogue, approval_id, scheduled_at, scheduled_by, due_at, before)
      select '${ERASURE}', 'REQ-2026-0001', 'REQ-2026-0001', '${PERSON}', '{}', 'purpose_ended', '{"steps": []}', 'a', 'b', id, '2026-01-06 12:00+00', 'camille.roy', '2026-02-05 12:00+00',
        '{"status": "active"}' from ops.approvals`,
    update: `update privacy.erasures set cancelled_at = clock_timestamp(), cancelled_by = 'camille.roy', cancel_reason = 'she changed her mind'`,
  },
  'privacy.erasure_batches': {
    // Of another transaction: this one is no batch.
    insert: `insert into privacy.erasure_batches (erasure_id, number, xid, done_by) values ('${ERASURE}', 1, '9', 'camille.roy')`,
    update: 'update privacy.erasure_batches set rows = 7',
  },
  'privacy.erasure_outside': {
    insert: `insert into privacy.erasure_outside (erasure_id, recipient) values ('${ERASURE}', 'email')`,
    update: `update privacy.erasure_outside set outcome = 'not_held', reference = 'EM-7', settled_at = clock_timestamp(), settled_by = 'camille.roy'`,
  },
  'privacy.ledger_looks': {
    insert: `insert into privacy.ledger_looks (entries, head, looked_by) values (3, repeat('ab', 32), 'camille.roy')`,
    update: `update privacy.ledger_looks set accounts = 7, found = '{"gone": 3}', ended_at = clock_timestamp()`,
  },
  'privacy.decision_records': {
    insert: `insert into privacy.decision_records (sha256, record, decisions, entered_by) values (repeat('cd', 32), 'decisions/1', 3, 'camille.roy')`,
  },
  'privacy.retention_batches': {
    // Of another transaction: this one is no batch.
    insert: `insert into privacy.retention_batches (table_name, cut_off, xid, done_by) values ('public.subscriptions', '2019-01-01', '9', 'camille.roy')`,
    update: 'update privacy.retention_batches set rows = 7',
  },
  'privacy.complaints': {
    insert: `insert into privacy.complaints (request_id, user_id, body, made_on, reason) values ('${REQUEST}', '${PERSON}', 'commissioner', '2026-03-02', 'a long enough reason')`,
    update: `update privacy.complaints set closed_on = '2026-05-04', outcome = 'resolved', recourse_until = '2027-05-04', closed_at = clock_timestamp(), closed_by = session_user`,
  },
  'privacy.identity_codes': {
    insert: `insert into privacy.identity_codes (request_id, user_id, salt, verifier, expires_at)
      values ('${REQUEST}', '${PERSON}', decode(repeat('de', 16), 'hex'), decode(repeat('deadbeef', 8), 'hex'), clock_timestamp() + interval '1 hour')`,
    update: `update privacy.identity_codes set sending = 'sent'`,
  },
  'privacy.code_entries': {
    insert: `insert into privacy.code_entries (code_id, request_id, user_id, digest)
      select id, request_id, user_id, decode(repeat('deadbeef', 8), 'hex') from privacy.identity_codes`,
    update: `update privacy.code_entries set digest = null, passed = false`,
  },
  'privacy.corrections': {
    insert: `insert into privacy.corrections (request_id, user_id, table_name, row_id, column_name, outcome, note, recipients)
      values ('${REQUEST}', '${PERSON}', 'public.users', '${PERSON}', 'first_name', 'amended', 'act of birth', '{payments}')`,
    update: `update privacy.corrections set note = null`,
  },
  'privacy.correction_notices': {
    insert: `insert into privacy.correction_notices (request_id, user_id, recipient, why_not) values ('${REQUEST}', '${PERSON}', 'payments', 'never sent')`,
    update: `update privacy.correction_notices set why_not = null`,
  },
  'privacy.exports': {
    insert: `insert into privacy.exports (user_id, request, language, package_sha256, manifest_sha256, bytes, row_count, severances, evidence)
      values ('${PERSON}', 'REQ-2026-0001', 'fr', repeat('a', 64), repeat('b', 64), 1000, 20, 3, 'exports/1')`,
  },
  'privacy.export_shares': {
    insert: `insert into privacy.export_shares (share_id, step, export_id, request, user_id, object_sha256, region)
      select gen_random_uuid(), 'begun', id, request, user_id, repeat('c', 64), 'ca-central-1' from privacy.exports`,
  },
  'ops.maintenance_runs': {
    insert: `insert into ops.maintenance_runs (job, duty, host, server, wal_lsn) values ('audit-partitions', 'sre', 'here', '127.0.0.1:5432', '0/1')`,
    update: `update ops.maintenance_runs set ended_at = clock_timestamp(), outcome = 'done', counts = '{"made": 2}'`,
  },
};
