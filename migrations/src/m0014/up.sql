-- Bearer keys of accounts, accounts of machines, requests for new authenticators. {uuid} {blob} {instant} {json} stand for the types of each database.

ALTER TABLE account ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'machine'));

CREATE TABLE access_key (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  name text NOT NULL,
  prefix text NOT NULL,
  secret_hash {blob} NOT NULL,
  actions {json} NOT NULL,
  issued_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL,
  expires_at {instant} NOT NULL,
  last_used_at {instant},
  revoked_at {instant},
  revoked_by {uuid} REFERENCES person (id),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE UNIQUE INDEX ux_access_key_secret ON access_key (secret_hash);
CREATE INDEX ix_access_key_account ON access_key (account_id, created_at);

-- A new authenticator: asked for by one person, approved by another.
CREATE TABLE authenticator_reset (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  proposed_by {uuid} NOT NULL REFERENCES person (id),
  proposed_at {instant} NOT NULL,
  expires_at {instant} NOT NULL,
  approved_by {uuid} REFERENCES person (id),
  approved_at {instant},
  CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
  CHECK (approved_by IS NULL OR approved_by <> proposed_by)
);
CREATE UNIQUE INDEX ux_authenticator_reset_open ON authenticator_reset (account_id) WHERE approved_at IS NULL;
