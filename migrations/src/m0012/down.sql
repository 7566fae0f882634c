-- Takes the other ways of signing in away, children first.

ALTER TABLE session DROP COLUMN last_used_at;
ALTER TABLE session DROP COLUMN origin_enc;
ALTER TABLE session DROP COLUMN device_id;
ALTER TABLE session DROP COLUMN method;
DROP TABLE sign_in_failure;
DROP TABLE code_sheet_line;
DROP TABLE code_sheet;
DROP TABLE sign_in_code;
DROP TABLE account_contact;
