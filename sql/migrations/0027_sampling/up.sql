-- kind: schema
-- locks: none on existing tables
-- transaction: yes
-- reversible: yes
-- seeds: none

-- Personal data where the map knows of none: looked for by sampling rows, in text and JSON. What is counted here leaves the
-- database as counts alone, whoever asks.

create function private.looks_like_sin(value text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
  return exists (
    select from regexp_matches(value, '(?:^|[[:space:]"'',;:(])([1-79]\d{2}[ -]\d{3}[ -]\d{3}|"[1-79]\d{8}"|[1-79]\d{8}$)(?=$|[]}[:space:]"'',.;:)])', 'g') found,
      lateral (select regexp_replace(found[1], '\D', '', 'g') as digits) n
    where (found[1] ~ '[ "-]' or n.digits = btrim(value))
      -- Luhn: every second digit doubled, the digits of the products added.
      and (select sum(case when i % 2 = 1 then d else d * 2 - case when d > 4 then 9 else 0 end end) % 10
        from generate_series(1, 9) i, lateral (select substr(n.digits, i, 1)::integer as d) one) = 0);
comment on function private.looks_like_sin(text) is
  'Whether a text holds nine digits that could be a Social Insurance Number: in threes, alone or as a string of JSON, beginning as issued ones do, with the check digit right.';

create function private.personal_shapes(value text, out email boolean, out phone boolean, out postal_code boolean, out health_card boolean, out sin boolean)
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
begin atomic
  select value ~* '[[:alnum:]._%+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)*\.[[:alpha:]]{2,}',
    value ~ '(^|[^\d.-])(\+?1[ .-]?)?(\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}($|[^\d-])' or value ~ '\+1[2-9]\d{2}[2-9]\d{6}($|\D)'
      or value ~ '^[2-9]\d{2}[2-9]\d{6}$',
    value ~ '(^|[[:space:]"'',;:(])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]?\d[ABCEGHJ-NPRSTV-Z]\d($|[[:space:]"'',.;:)])'
      or value ~* '(^|[[:space:]"'',;:(])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d($|[[:space:]"'',.;:)])',
    value ~ '(^|[^[:alnum:]])[A-Z]{4}[ -]?\d{2}(0[1-9]|1[0-2]|5[1-9]|6[0-2])[ -]?(0[1-9]|[12]\d|3[01])\d{2}($|[^[:alnum:]])'
      or value ~ '(^|[^[:alnum:]-])\d{4}[ -]\d{3}[ -]\d{3}([ -]?[A-Z]{1,2})?($|[^[:alnum:]-])'
      or value ~ '(^|[^[:alnum:]-])\d{4}\d{3}\d{3}[A-Z]{2}($|[^[:alnum:]])'
      or value ~ '(^|[^[:alnum:]-])\d{5}-\d{4}($|[^[:alnum:]-])'
      or value ~ '(^|[^[:alnum:]-])[NDMT]\d{7}($|[^[:alnum:]])'
      or value ~ '(^|[^[:alnum:]-])\d{3} \d{3} \d{3} \d{3}($|[^[:alnum:]-])'
      or value ~ '(^|[^[:alnum:]-])\d{3} \d{3} \d{3}($|[^[:alnum:] -])' and not private.looks_like_sin(value)
      or value ~* '(health card|health number|carte soleil|assurance[ -]maladie|\m(ohip|ramq|phin|phn|mcp|hcn|nam)\M)\D{0,20}\d{8,12}($|\D)',
    private.looks_like_sin(value);
end;
comment on function private.personal_shapes(text) is
  'Which shapes of personal data a text holds: e-mail address, Canadian telephone number and postal code, health card of a province or territory (QC RAMQ; ON, BC, NS 4-3-3; AB 5-4; MB, NB, SK, NU, YT 3-3-3; NL 3-3-3-3; NT a letter and seven; PE and unspaced ones beside a word for it), Social Insurance Number.';

create function privacy.sample_shapes(table_name text, rows integer) returns table (
  column_name text, sampled bigint, email bigint, phone bigint, postal_code bigint, health_card bigint, sin bigint)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  target regclass := to_regclass(table_name);
  texts text;
  many double precision;
  sample text := '';
begin
  -- Only what the map knows of: not whatever else its owner could read.
  if target is null or not exists (select from privacy.column_answers a where a.table_name = sample_shapes.table_name) then
    perform private.fail('NS006', format('the data map knows no table %s here', table_name), 'nestctl datamap show');
  elsif rows is null or rows not between 1 and 1000000 then
    perform private.fail('NS007', 'between 1 and 1000000 rows of a table are looked into');
  end if;
  select string_agg(format('(%L, left(r.%I::text, 20000))', a.attname, a.attname), ', ' order by a.attnum) into texts
  from pg_attribute a join pg_type t on t.oid = a.atttypid
    left join pg_type b on b.oid = coalesce(nullif(t.typelem, 0), nullif(t.typbasetype, 0))
  where a.attrelid = target and a.attnum > 0 and not a.attisdropped
    and (t.typcategory = 'S' or t.oid in ('json'::regtype, 'jsonb'::regtype) or b.typcategory = 'S' or b.oid in ('json'::regtype, 'jsonb'::regtype));
  if texts is null then
    return;
  end if;
  select coalesce(sum(c.reltuples) filter (where c.reltuples > 0), 0) into many
  from pg_class c where c.oid = target or c.oid in (select p.relid from pg_partition_tree(target) p where p.isleaf);
  -- Whole pages of a large table; of a small one they would be too few to choose from.
  if many > 2 * rows and (select c.relkind from pg_class c where c.oid = target) in ('r', 'p', 'm') then
    sample := format(' tablesample %s (%s)', case when many > 100000 then 'system' else 'bernoulli' end, least(100, 150.0 * rows / many));
  end if;
  return query execute format($q$
    select v.name, count(v.value), count(*) filter (where s.email), count(*) filter (where s.phone), count(*) filter (where s.postal_code),
      count(*) filter (where s.health_card), count(*) filter (where s.sin)
    from (select * from %s%s limit %s) r
      cross join lateral (values %s) v (name, value)
      cross join lateral private.personal_shapes(v.value) s
    group by v.name$q$, target, sample, rows, texts);
end $$;
comment on function privacy.sample_shapes(text, integer) is
  'Of a table of the data map, by column of text or JSON: how many of the sampled values there were, and how many hold a shape of personal data. No value leaves it.';

revoke execute on function private.looks_like_sin(text), private.personal_shapes(text), privacy.sample_shapes(text, integer) from public;
grant execute on function privacy.sample_shapes(text, integer) to nestsync_compliance, nestsync_sre, nestsync_admin;
