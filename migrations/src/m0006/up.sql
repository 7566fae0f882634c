-- Money in depth: projected windows, holds that expire, consent to a larger share, drafts of a month, corrections.

ALTER TABLE entitlement_window ADD COLUMN state text NOT NULL DEFAULT 'open' CHECK (state IN ('projected', 'open'));

-- The list of a column's CHECK cannot be changed on SQLite: the column is made anew under its name.
ALTER TABLE hold ADD COLUMN state_now text NOT NULL DEFAULT 'held' CHECK (state_now IN ('held', 'posted', 'voided', 'expired'));
UPDATE hold SET state_now = state;
ALTER TABLE hold DROP COLUMN state;
ALTER TABLE hold RENAME COLUMN state_now TO state;

CREATE TABLE consent_request (
  id {uuid} PRIMARY KEY,
  order_id {uuid} NOT NULL REFERENCES care_order (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  old_quote_id {uuid} NOT NULL REFERENCES quote (id),
  new_quote_id {uuid} NOT NULL REFERENCES quote (id),
  cause text NOT NULL CHECK (cause IN ('window_opened', 'entitlement_changed', 'policy_changed')),
  old_family_fen bigint NOT NULL CHECK (old_family_fen >= 0),
  new_family_fen bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'accepted', 'declined', 'lapsed', 'superseded')),
  owner_role text,
  deadline_at {instant},
  answered_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CHECK (new_family_fen > old_family_fen),
  CHECK ((state = 'open') = (deadline_at IS NOT NULL)),
  CHECK (state NOT IN ('accepted', 'declined') OR answered_by IS NOT NULL)
);
CREATE UNIQUE INDEX ux_consent_request_open ON consent_request (order_id) WHERE state = 'open';
CREATE INDEX ix_consent_request_order ON consent_request (order_id);
CREATE INDEX ix_consent_request_resident ON consent_request (resident_id);
CREATE INDEX ix_consent_request_deadline ON consent_request (deadline_at);

CREATE TABLE settlement_draft (
  programme text NOT NULL,
  bureau text NOT NULL,
  month text NOT NULL CHECK (length(month) = 7),
  content_hash text NOT NULL,
  line_count bigint NOT NULL,
  total_fen bigint NOT NULL,
  drafted_at {instant} NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (programme, bureau, month)
);

CREATE TABLE reversal (
  id {uuid} PRIMARY KEY,
  order_id {uuid} NOT NULL REFERENCES care_order (id),
  cause text NOT NULL CHECK (cause IN ('dispute_upheld', 'not_delivered', 'resident_absent', 'paid_twice', 'wrongly_judged')),
  note_enc {blob} NOT NULL,
  state text NOT NULL CHECK (state IN ('proposed', 'approved', 'refused')),
  owner_role text,
  deadline_at {instant},
  proposed_by {uuid} NOT NULL REFERENCES person (id),
  decided_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT ck_reversal_four_eyes CHECK (decided_by IS NULL OR decided_by <> proposed_by),
  CHECK ((state = 'proposed') = (decided_by IS NULL))
);
CREATE UNIQUE INDEX ux_reversal_order ON reversal (order_id) WHERE state <> 'refused';
CREATE INDEX ix_reversal_order ON reversal (order_id);

CREATE TABLE claim_correction (
  id {uuid} PRIMARY KEY,
  claim_line_id {uuid} NOT NULL UNIQUE REFERENCES claim_line (id),
  reversal_id {uuid} NOT NULL REFERENCES reversal (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  bureau text NOT NULL,
  programme text NOT NULL,
  cause text NOT NULL,
  subsidy_fen bigint NOT NULL CHECK (subsidy_fen > 0),
  units bigint NOT NULL CHECK (units >= 0),
  split {json} NOT NULL,
  service_month text NOT NULL CHECK (length(service_month) = 7),
  booked_month text NOT NULL CHECK (length(booked_month) = 7),
  period_id {uuid} REFERENCES settlement_period (id),
  created_at {instant} NOT NULL,
  CHECK (service_month <= booked_month)
);
CREATE INDEX ix_claim_correction_open ON claim_correction (programme, bureau, booked_month);
CREATE INDEX ix_claim_correction_period ON claim_correction (period_id);
CREATE INDEX ix_claim_correction_reversal ON claim_correction (reversal_id);
