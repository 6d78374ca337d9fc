drop function ops.explain_family(uuid, uuid[], jsonb, jsonb);
drop function private.explain_members(uuid, uuid[], jsonb);
drop function private.truths_of_rows(regclass, text[], text[]);
drop function private.sample_rows(regclass, uuid, uuid);
drop function ops.ask_about_family(uuid);
