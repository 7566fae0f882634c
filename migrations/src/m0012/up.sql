-- Signing in without a password: contacts, one-time codes, paper sheets; what a session tells of its device.

CREATE TABLE account_contact (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  kind text NOT NULL CHECK (kind IN ('mail', 'phone')),
  address_enc {blob} NOT NULL,
  address_index {blob} NOT NULL,
  created_at {instant} NOT NULL
);
CREATE UNIQUE INDEX ux_account_contact ON account_contact (account_id, kind);
CREATE UNIQUE INDEX ux_account_contact_address ON account_contact (address_index);

-- Codes for addresses that nobody has are kept like all others, so that the answer costs and says the same.
CREATE TABLE sign_in_code (
  id {uuid} PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('contact', 'carer')),
  account_id {uuid} REFERENCES account (id),
  kind text CHECK (kind IN ('mail', 'phone')),
  address_enc {blob},
  address_index {blob},
  code_enc {blob},
  code_mac {blob} NOT NULL,
  locale text NOT NULL,
  issued_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  expires_at {instant} NOT NULL,
  attempts bigint NOT NULL CHECK (attempts >= 0),
  used_at {instant},
  CHECK ((purpose = 'contact') = (address_index IS NOT NULL)),
  CHECK ((purpose = 'carer') = (issued_by IS NOT NULL))
);
CREATE INDEX ix_sign_in_code_address ON sign_in_code (address_index, created_at);
CREATE INDEX ix_sign_in_code_account ON sign_in_code (account_id, created_at);
CREATE INDEX ix_sign_in_code_expiry ON sign_in_code (expires_at);

CREATE TABLE code_sheet (
  id {uuid} PRIMARY KEY,
  serial text NOT NULL UNIQUE,
  account_id {uuid} NOT NULL REFERENCES account (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  issued_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL,
  failures bigint NOT NULL CHECK (failures >= 0),
  ended_at {instant},
  ended_by {uuid} REFERENCES person (id)
);
CREATE UNIQUE INDEX ux_code_sheet_open ON code_sheet (account_id) WHERE ended_at IS NULL;
CREATE INDEX ix_code_sheet_resident ON code_sheet (resident_id);

CREATE TABLE code_sheet_line (
  sheet_id {uuid} NOT NULL REFERENCES code_sheet (id),
  number bigint NOT NULL CHECK (number > 0),
  code_mac {blob} NOT NULL,
  used_at {instant},
  PRIMARY KEY (sheet_id, number)
);

-- Failed attempts by login, whether an account has it or not.
CREATE TABLE sign_in_failure (
  login_index {blob} PRIMARY KEY,
  failures bigint NOT NULL CHECK (failures > 0),
  last_at {instant} NOT NULL,
  retry_at {instant}
);
CREATE INDEX ix_sign_in_failure_last ON sign_in_failure (last_at);

ALTER TABLE session ADD COLUMN method text NOT NULL DEFAULT 'password'
  CHECK (method IN ('password', 'contact_code', 'carer_code', 'sheet_code'));
ALTER TABLE session ADD COLUMN device_id {uuid} REFERENCES device (id);
ALTER TABLE session ADD COLUMN origin_enc {blob};
ALTER TABLE session ADD COLUMN last_used_at {instant};
