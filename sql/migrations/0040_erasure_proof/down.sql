drop function ops.erasures_to_run();
drop function privacy.close_erasure(text);
drop function privacy.record_certificate(text, text);
drop function privacy.certificate_facts(text);
drop function private.utc(timestamptz);
drop function privacy.settle_outside(text, text, text, text);
drop function privacy.prove_erasure(text, text[]);
