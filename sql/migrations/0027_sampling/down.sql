drop function privacy.sample_shapes(text, integer);
drop function private.personal_shapes(text);
drop function private.looks_like_sin(text);
