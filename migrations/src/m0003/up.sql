-- Providers in full. {uuid} {blob} {instant} {json} {bool} stand for the types of each database.

-- Every step of a provider, with who took it and why; the provider's row holds the state.
CREATE TABLE provider_step (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  step text NOT NULL,
  state text NOT NULL,
  reason text,
  note_enc {blob},
  by_person {uuid} NOT NULL REFERENCES person (id),
  at {instant} NOT NULL
);
CREATE INDEX ix_provider_step_provider ON provider_step (provider_id, at);

-- Why a credit code whose check character is wrong was accepted.
CREATE TABLE credit_code_review (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL UNIQUE REFERENCES provider (id),
  reason_enc {blob} NOT NULL,
  reviewed_by {uuid} NOT NULL REFERENCES person (id),
  reviewed_at {instant} NOT NULL
);

-- Where and when a provider serves.
CREATE TABLE provider_profile (
  provider_id {uuid} PRIMARY KEY REFERENCES provider (id),
  area {json} NOT NULL,
  hours {json} NOT NULL,
  closing_days {json} NOT NULL,
  changed_by {uuid} NOT NULL REFERENCES person (id),
  changed_at {instant} NOT NULL,
  version bigint NOT NULL
);

-- The purchase agreement with the bureau; ended early by an earlier valid_until.
CREATE TABLE provider_agreement (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  number text NOT NULL,
  signed_on date NOT NULL,
  valid_from date NOT NULL,
  valid_until date NOT NULL,
  recorded_by {uuid} NOT NULL REFERENCES person (id),
  ended_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CHECK (valid_from <= valid_until)
);
CREATE UNIQUE INDEX ux_provider_agreement ON provider_agreement (provider_id, number);

-- The yearly look at a provider's qualification; the last one of a year counts.
CREATE TABLE qualification_review (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  year integer NOT NULL,
  passed {bool} NOT NULL,
  reviewed_on date NOT NULL,
  note_enc {blob},
  reviewed_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL
);
CREATE INDEX ix_qualification_review_provider ON qualification_review (provider_id, year);

-- A new or renewed licence that an officer has to look at before it counts.
CREATE TABLE licence_request (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  kind text NOT NULL,
  number text NOT NULL,
  valid_from date NOT NULL,
  valid_until date,
  state text NOT NULL CHECK (state IN ('requested', 'confirmed', 'refused')),
  requested_by {uuid} NOT NULL REFERENCES person (id),
  requested_at {instant} NOT NULL,
  decided_by {uuid} REFERENCES person (id),
  decided_at {instant},
  credential_id {uuid} REFERENCES credential (id),
  version bigint NOT NULL,
  CONSTRAINT ck_licence_request_four_eyes CHECK (decided_by IS NULL OR decided_by <> requested_by),
  CHECK ((state = 'requested') = (decided_by IS NULL)),
  CHECK (valid_until IS NULL OR valid_from < valid_until)
);
CREATE INDEX ix_licence_request_provider ON licence_request (provider_id);
CREATE INDEX ix_licence_request_state ON licence_request (state);

-- Where a provider is paid. A change takes effect after its hold and the approval of another person.
CREATE TABLE bank_account (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  account_enc {blob} NOT NULL,
  state text NOT NULL CHECK (state IN ('requested', 'approved', 'refused', 'withdrawn')),
  requested_by {uuid} NOT NULL REFERENCES person (id),
  requested_at {instant} NOT NULL,
  hold_ends_on date NOT NULL,
  decided_by {uuid} REFERENCES person (id),
  decided_at {instant},
  effective_from date,
  version bigint NOT NULL,
  CONSTRAINT ck_bank_account_four_eyes CHECK (state NOT IN ('approved', 'refused') OR decided_by <> requested_by),
  CONSTRAINT ck_bank_account_hold CHECK (effective_from IS NULL OR effective_from >= hold_ends_on),
  CHECK ((state = 'approved') = (effective_from IS NOT NULL)),
  CHECK ((state = 'requested') = (decided_by IS NULL))
);
CREATE INDEX ix_bank_account_provider ON bank_account (provider_id, effective_from);
CREATE UNIQUE INDEX ux_bank_account_open ON bank_account (provider_id) WHERE state = 'requested';

-- The account to which a statement was released.
CREATE TABLE payout_account (
  statement_id {uuid} PRIMARY KEY REFERENCES statement (id),
  bank_account_id {uuid} NOT NULL REFERENCES bank_account (id),
  created_at {instant} NOT NULL
);
CREATE INDEX ix_payout_account_bank_account ON payout_account (bank_account_id);

-- What a carer can do and when they work.
CREATE TABLE carer_profile (
  carer_id {uuid} PRIMARY KEY REFERENCES carer (id),
  sex text NOT NULL CHECK (sex IN ('male', 'female')),
  skills {json} NOT NULL,
  dialects {json} NOT NULL,
  working_times {json} NOT NULL,
  employed_from date NOT NULL,
  employed_until date,
  changed_by {uuid} NOT NULL REFERENCES person (id),
  changed_at {instant} NOT NULL,
  version bigint NOT NULL,
  CHECK (employed_until IS NULL OR employed_from <= employed_until)
);

-- Days on which a carer is away. The reason is nobody's business here.
CREATE TABLE carer_leave (
  id {uuid} PRIMARY KEY,
  carer_id {uuid} NOT NULL REFERENCES carer (id),
  first_day date NOT NULL,
  ends_on date NOT NULL,
  recorded_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL,
  CHECK (first_day < ends_on)
);
CREATE INDEX ix_carer_leave_carer ON carer_leave (carer_id, ends_on);

-- The bureau's own editions of the service catalogue; the shipped one holds before the first.
CREATE TABLE catalogue_edition (
  id {uuid} PRIMARY KEY,
  file_name text NOT NULL,
  source_text text NOT NULL,
  digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('draft', 'published')),
  effective_from date NOT NULL,
  drafted_by {uuid} NOT NULL REFERENCES person (id),
  published_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  CONSTRAINT ck_catalogue_edition_four_eyes CHECK (published_by IS NULL OR published_by <> drafted_by),
  CHECK ((state = 'published') = (published_by IS NOT NULL))
);
CREATE UNIQUE INDEX ux_catalogue_edition ON catalogue_edition (effective_from) WHERE state = 'published';

-- Which items a programme may pay, from a day on.
CREATE TABLE purchase_list (
  id {uuid} PRIMARY KEY,
  programme text NOT NULL,
  effective_from date NOT NULL,
  lines {json} NOT NULL,
  digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('draft', 'published')),
  drafted_by {uuid} NOT NULL REFERENCES person (id),
  published_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  CONSTRAINT ck_purchase_list_four_eyes CHECK (published_by IS NULL OR published_by <> drafted_by),
  CHECK ((state = 'published') = (published_by IS NOT NULL))
);
CREATE UNIQUE INDEX ux_purchase_list ON purchase_list (programme, effective_from) WHERE state = 'published';
