drop function privacy.plan_erasure(text);
drop function private.erasure_gates(privacy.requests, uuid[]);
drop function private.has_value(text, text, uuid);
drop function private.catalogue_digest();
drop function private.plan_table(text, uuid, uuid[], uuid[]);
drop function private.erasure_spellings(uuid);
drop function private.erasure_scope(text, uuid, uuid[], out text, out text, out text);
drop function private.erasure_fates(uuid);
