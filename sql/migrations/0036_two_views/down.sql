drop function privacy.package_views(uuid, uuid);
drop function private.views_of_table(text, uuid, text, boolean, boolean);
drop function private.read_by_members();
drop function private.why_unseen(uuid, uuid);
