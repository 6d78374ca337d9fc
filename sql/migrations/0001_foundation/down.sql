drop function ops.register_operator(text, text, text, text[], timestamptz);
drop function private.let_in(text);
drop function private.lock_operators();
drop function private.give_role(text, text);
drop function ops.register_app_login(text);
drop function private.refuse_truncate();
drop function private.fail(text, text, text);
drop function private.session_duty();
drop function private.has_duty(text, text);
drop function private.session_operator();
drop table ops.operator_duties;
drop table ops.operators;
drop table private.app_logins;
drop domain private.time_zone;
drop domain private.cad;
drop domain private.postal_code;
drop domain private.province;

do $$
begin
  if obj_description(to_regnamespace('auth'), 'pg_namespace') = 'Made by nestctl: a stand-in where Supabase is absent.' then
    drop function auth.uid();
    drop schema auth;
  end if;
end $$;

revoke usage on schema ops from nestsync_support, nestsync_compliance, nestsync_sre, nestsync_auditor, nestsync_admin;
drop schema privacy;
drop schema private;
