select privacy.undeclare('privacy.consent_types'), privacy.undeclare('privacy.consent_purposes');
drop function privacy.withdraw_consent(uuid, text, text, text);
drop function privacy.consents_of(uuid);
drop function private.require_subject(uuid);
drop table privacy.consent_purposes;
drop table privacy.consent_types;
