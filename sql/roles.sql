-- The cluster-wide roles that the migrations grant to. `nestctl db migrate` runs this before them; where the
-- owner may not create roles, a DBA runs it once: psql -f sql/roles.sql
--
-- Safe to run again, and from two databases of one cluster at once. What is already there is left alone (on
-- Supabase anon, authenticated and service_role are), and nothing ever drops a role, since other databases of
-- the cluster may use it.
do $roles$
declare
  wanted text;
begin
  foreach wanted in array array[
    -- Supabase's API roles: nobody, a signed-in member, the application's own services.
    'anon', 'authenticated', 'service_role',
    -- The duties. Operators log in under roles of their own and take on one duty at a time.
    'nestsync_support', 'nestsync_compliance', 'nestsync_sre', 'nestsync_auditor', 'nestsync_admin'
  ] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception
        -- Another database's migrator was quicker.
        when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
end
$roles$;
