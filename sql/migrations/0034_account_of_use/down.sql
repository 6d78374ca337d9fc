drop function privacy.package_account(uuid, text, text[], text);
drop function privacy.package_accounts(uuid, text);
drop function private.package_requests(uuid, text);
drop function private.package_disclosures(uuid, text);
drop function private.package_account_of_use(uuid, text);
drop function private.row_is_of_child(text, uuid, uuid, uuid);
drop index audit.events_staff_family_idx;
