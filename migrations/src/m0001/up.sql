-- The spine: registry, eligibility, booking, visits, ledger, settlement, and the machinery beneath them.
-- {uuid} {blob} {instant} {json} {bool} stand for the types of each database; everything else is portable.

CREATE TABLE city (
  id smallint PRIMARY KEY CHECK (id = 1),
  division_prefix text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'demo')),
  clock_offset_seconds bigint NOT NULL CHECK (mode = 'demo' OR clock_offset_seconds = 0),
  key_check_enc {blob} NOT NULL,
  created_at {instant} NOT NULL
);

CREATE TABLE division (
  code text PRIMARY KEY CHECK (length(code) = 12),
  name text NOT NULL,
  level smallint NOT NULL,
  parent text REFERENCES division (code)
);
CREATE INDEX ix_division_parent ON division (parent);

CREATE TABLE person (
  id {uuid} PRIMARY KEY,
  name_enc {blob} NOT NULL,
  phone_enc {blob},
  created_at {instant} NOT NULL
);

CREATE TABLE account (
  id {uuid} PRIMARY KEY,
  person_id {uuid} NOT NULL REFERENCES person (id),
  login text NOT NULL UNIQUE,
  password_hash text NOT NULL,
  totp_secret_enc {blob},
  totp_last_step bigint,
  failed_count bigint NOT NULL CHECK (failed_count >= 0),
  retry_at {instant},
  created_at {instant} NOT NULL,
  version bigint NOT NULL
);
CREATE INDEX ix_account_person ON account (person_id);

CREATE TABLE session (
  id {uuid} PRIMARY KEY,
  token_hash {blob} NOT NULL UNIQUE,
  account_id {uuid} NOT NULL REFERENCES account (id),
  person_id {uuid} NOT NULL REFERENCES person (id),
  device text NOT NULL,
  created_at {instant} NOT NULL,
  expires_at {instant} NOT NULL,
  revoked_at {instant}
);
CREATE INDEX ix_session_person ON session (person_id);

CREATE TABLE provider (
  id {uuid} PRIMARY KEY,
  credit_code text NOT NULL UNIQUE,
  name text NOT NULL,
  division text NOT NULL REFERENCES division (code),
  state text NOT NULL CHECK (state IN ('applied', 'reviewed', 'admitted', 'suspended', 'ended')),
  applied_by {uuid} NOT NULL REFERENCES person (id),
  reviewed_by {uuid} REFERENCES person (id),
  admitted_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT ck_provider_reviewed_by_another CHECK (reviewed_by IS NULL OR reviewed_by <> applied_by),
  CONSTRAINT ck_provider_admitted_by_third CHECK (admitted_by IS NULL OR (admitted_by <> applied_by AND admitted_by <> reviewed_by)),
  CHECK (state <> 'admitted' OR admitted_by IS NOT NULL)
);

CREATE TABLE role_grant (
  id {uuid} PRIMARY KEY,
  person_id {uuid} NOT NULL REFERENCES person (id),
  role text NOT NULL,
  scope text,
  provider_id {uuid} REFERENCES provider (id),
  valid_from date NOT NULL,
  valid_until date,
  granted_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  CHECK (valid_until IS NULL OR valid_from < valid_until)
);
CREATE INDEX ix_role_grant_person ON role_grant (person_id);

CREATE TABLE resident (
  id {uuid} PRIMARY KEY,
  document_kind text NOT NULL,
  document_enc {blob} NOT NULL,
  document_index {blob} NOT NULL,
  name_enc {blob} NOT NULL,
  phone_enc {blob},
  facts_enc {blob} NOT NULL,
  home_secret_enc {blob} NOT NULL,
  hukou_division text NOT NULL,
  residence_division text NOT NULL REFERENCES division (code),
  status text NOT NULL CHECK (status IN ('alive', 'hospital', 'institution', 'moved', 'dead')),
  status_on date NOT NULL,
  registered_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  version bigint NOT NULL
);
CREATE UNIQUE INDEX ux_resident_document ON resident (document_index);
CREATE INDEX ix_resident_residence ON resident (residence_division);

CREATE TABLE service_address (
  id {uuid} PRIMARY KEY,
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  division text NOT NULL REFERENCES division (code),
  text_enc {blob} NOT NULL,
  coordinate_enc {blob},
  created_at {instant} NOT NULL
);
CREATE INDEX ix_service_address_resident ON service_address (resident_id);

CREATE TABLE relation (
  person_id {uuid} NOT NULL REFERENCES person (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  relation text NOT NULL,
  consent {json} NOT NULL,
  valid_from date NOT NULL,
  valid_until date,
  recorded_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  PRIMARY KEY (person_id, resident_id)
);
CREATE INDEX ix_relation_resident ON relation (resident_id);

CREATE TABLE assessment (
  id {uuid} PRIMARY KEY,
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  state text NOT NULL CHECK (state IN ('recorded', 'confirmed')),
  record_enc {blob} NOT NULL,
  first_assessor {uuid} NOT NULL REFERENCES person (id),
  second_assessor {uuid} REFERENCES person (id),
  assessed_on date NOT NULL,
  valid_until date NOT NULL,
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT ck_assessment_two_assessors CHECK (second_assessor IS NULL OR second_assessor <> first_assessor),
  CHECK ((state = 'confirmed') = (second_assessor IS NOT NULL))
);
CREATE INDEX ix_assessment_resident ON assessment (resident_id, assessed_on);

CREATE TABLE policy_version (
  id {uuid} PRIMARY KEY,
  programme text NOT NULL,
  version text NOT NULL,
  file_name text NOT NULL,
  source_text text NOT NULL,
  digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('draft', 'published')),
  effective_from date NOT NULL,
  effective_until date,
  drafted_by {uuid} REFERENCES person (id),
  published_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  CONSTRAINT ck_policy_four_eyes CHECK (published_by IS NULL OR drafted_by IS NULL OR published_by <> drafted_by)
);
CREATE UNIQUE INDEX ux_policy_version ON policy_version (programme, version);

CREATE TABLE application (
  id {uuid} PRIMARY KEY,
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  programme text NOT NULL,
  state text NOT NULL CHECK (state IN ('filed', 'accepted', 'reviewed', 'on_notice', 'suspended', 'effective', 'refused')),
  applied_on date NOT NULL,
  filed_by {uuid} NOT NULL REFERENCES person (id),
  accepted_by {uuid} REFERENCES person (id),
  reviewed_by {uuid} REFERENCES person (id),
  approved_by {uuid} REFERENCES person (id),
  notice_ends_on date,
  owner_role text,
  deadline_on date,
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT ck_application_four_eyes CHECK (approved_by IS NULL OR (approved_by <> reviewed_by AND approved_by <> accepted_by))
);
CREATE INDEX ix_application_resident ON application (resident_id);
CREATE UNIQUE INDEX ux_application_open ON application (resident_id, programme) WHERE state NOT IN ('effective', 'refused');
CREATE INDEX ix_application_notice ON application (state, notice_ends_on);

CREATE TABLE decision (
  id {uuid} PRIMARY KEY,
  application_id {uuid} NOT NULL REFERENCES application (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  programme text NOT NULL,
  policy_version_id {uuid} NOT NULL REFERENCES policy_version (id),
  granted {bool} NOT NULL,
  explanation_enc {blob} NOT NULL,
  effective_from date,
  effective_until date,
  decided_by {uuid} NOT NULL REFERENCES person (id),
  decided_at {instant} NOT NULL
);
CREATE INDEX ix_decision_application ON decision (application_id);

CREATE TABLE entitlement (
  id {uuid} PRIMARY KEY,
  decision_id {uuid} NOT NULL REFERENCES decision (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  programme text NOT NULL,
  benefit text NOT NULL,
  unit text NOT NULL CHECK (unit IN ('fen', 'minutes', 'visits', 'meals')),
  window_kind text NOT NULL,
  effective_from date NOT NULL,
  effective_until date,
  created_at {instant} NOT NULL,
  version bigint NOT NULL
);
CREATE UNIQUE INDEX ux_entitlement ON entitlement (resident_id, programme, benefit, effective_from);

CREATE TABLE entitlement_window (
  id {uuid} PRIMARY KEY,
  entitlement_id {uuid} NOT NULL REFERENCES entitlement (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  programme text NOT NULL,
  benefit text NOT NULL,
  unit text NOT NULL,
  window_start date NOT NULL,
  window_end date,
  granted bigint NOT NULL CHECK (granted >= 0),
  held bigint NOT NULL CHECK (held >= 0),
  posted bigint NOT NULL CHECK (posted >= 0),
  expired bigint NOT NULL CHECK (expired >= 0),
  version bigint NOT NULL,
  CONSTRAINT ck_window_balance CHECK (held + posted + expired <= granted)
);
CREATE UNIQUE INDEX ux_entitlement_window ON entitlement_window (resident_id, programme, benefit, window_start, unit);
CREATE INDEX ix_entitlement_window_end ON entitlement_window (window_end);

CREATE TABLE budget (
  id {uuid} PRIMARY KEY,
  programme text NOT NULL,
  fund text NOT NULL,
  year integer NOT NULL,
  granted bigint NOT NULL CHECK (granted >= 0),
  held bigint NOT NULL CHECK (held >= 0),
  posted bigint NOT NULL CHECK (posted >= 0),
  version bigint NOT NULL,
  CONSTRAINT ck_budget_balance CHECK (held + posted <= granted)
);
CREATE UNIQUE INDEX ux_budget ON budget (programme, fund, year);

CREATE TABLE credential (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} REFERENCES provider (id),
  carer_id {uuid},
  kind text NOT NULL,
  number text NOT NULL,
  valid_from date NOT NULL,
  valid_until date,
  recorded_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL,
  CHECK ((provider_id IS NULL) <> (carer_id IS NULL)),
  CHECK (valid_until IS NULL OR valid_from < valid_until)
);
CREATE INDEX ix_credential_provider ON credential (provider_id);
CREATE INDEX ix_credential_carer ON credential (carer_id);

CREATE TABLE price (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  item text NOT NULL,
  class text NOT NULL,
  unit_price_fen bigint NOT NULL CHECK (unit_price_fen >= 0),
  effective_from date NOT NULL,
  published_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL
);
CREATE UNIQUE INDEX ux_price ON price (provider_id, item, class, effective_from);

CREATE TABLE carer (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  person_id {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL
);
CREATE UNIQUE INDEX ux_carer ON carer (provider_id, person_id);

CREATE TABLE quote (
  id {uuid} PRIMARY KEY,
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  address_id {uuid} REFERENCES service_address (id),
  item text NOT NULL,
  class text NOT NULL,
  starts_at {instant} NOT NULL,
  minutes bigint NOT NULL CHECK (minutes > 0),
  gross_fen bigint NOT NULL CHECK (gross_fen >= 0),
  subsidy_fen bigint NOT NULL CHECK (subsidy_fen >= 0),
  family_fen bigint NOT NULL CHECK (family_fen >= 0),
  body_enc {blob} NOT NULL,
  made_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL,
  expires_at {instant} NOT NULL,
  CHECK (subsidy_fen + family_fen = gross_fen)
);

CREATE TABLE care_order (
  id {uuid} PRIMARY KEY,
  quote_id {uuid} NOT NULL UNIQUE REFERENCES quote (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  item text NOT NULL,
  class text NOT NULL,
  starts_at {instant} NOT NULL,
  ends_at {instant} NOT NULL,
  gross_fen bigint NOT NULL,
  subsidy_fen bigint NOT NULL,
  family_fen bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('requested', 'offered', 'accepted', 'assigned', 'in_service', 'completed', 'confirmed',
    'disputed', 'dispute_decided', 'declined', 'expired', 'cancelled', 'missed')),
  owner_role text,
  deadline_at {instant},
  placed_by {uuid} NOT NULL REFERENCES person (id),
  decided_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CHECK (starts_at < ends_at)
);
CREATE INDEX ix_care_order_resident ON care_order (resident_id, starts_at);
CREATE INDEX ix_care_order_provider ON care_order (provider_id, starts_at);
CREATE INDEX ix_care_order_deadline ON care_order (deadline_at);

CREATE TABLE visit (
  id {uuid} PRIMARY KEY,
  order_id {uuid} NOT NULL UNIQUE REFERENCES care_order (id),
  state text NOT NULL CHECK (state IN ('planned', 'in_service', 'completed', 'missed', 'cancelled')),
  staff_count bigint NOT NULL CHECK (staff_count > 0),
  actual_start {instant},
  actual_end {instant},
  grade text CHECK (grade IN ('a', 'b', 'c', 'd')),
  grade_reasons {json},
  version bigint NOT NULL,
  CHECK (actual_end IS NULL OR actual_start IS NOT NULL)
);

CREATE TABLE assignment (
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  carer_id {uuid} NOT NULL REFERENCES carer (id),
  starts_at {instant} NOT NULL,
  ends_at {instant} NOT NULL,
  active {bool} NOT NULL,
  clock_in_at {instant},
  clock_out_at {instant},
  PRIMARY KEY (visit_id, carer_id)
);
CREATE INDEX ix_assignment_carer ON assignment (carer_id, starts_at);

CREATE TABLE visit_event (
  id {uuid} PRIMARY KEY,
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  carer_id {uuid} NOT NULL REFERENCES carer (id),
  client_event_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('clock_in', 'clock_out')),
  occurred_at {instant} NOT NULL,
  received_at {instant} NOT NULL,
  evidence_enc {blob} NOT NULL,
  digest text NOT NULL
);
CREATE UNIQUE INDEX ux_visit_event_client ON visit_event (carer_id, client_event_id);
CREATE INDEX ix_visit_event_visit ON visit_event (visit_id);

CREATE TABLE hold (
  id {uuid} PRIMARY KEY,
  order_id {uuid} NOT NULL REFERENCES care_order (id),
  window_id {uuid} NOT NULL REFERENCES entitlement_window (id),
  programme text NOT NULL,
  policy_version text NOT NULL,
  benefit text NOT NULL,
  window_start date NOT NULL,
  unit text NOT NULL,
  units bigint NOT NULL CHECK (units >= 0),
  uses bigint NOT NULL CHECK (uses >= 0),
  service_on date NOT NULL,
  subsidy_fen bigint NOT NULL CHECK (subsidy_fen >= 0),
  split {json} NOT NULL,
  state text NOT NULL CHECK (state IN ('held', 'posted', 'voided')),
  posted_units bigint NOT NULL CHECK (posted_units >= 0),
  posted_fen bigint NOT NULL CHECK (posted_fen >= 0),
  version bigint NOT NULL,
  CHECK (posted_units <= units AND posted_fen <= subsidy_fen)
);
CREATE UNIQUE INDEX ux_hold ON hold (order_id, programme, benefit, window_start, unit);
CREATE INDEX ix_hold_window ON hold (window_id);
CREATE INDEX ix_hold_order ON hold (order_id);

CREATE TABLE settlement_period (
  id {uuid} PRIMARY KEY,
  programme text NOT NULL,
  bureau text NOT NULL,
  month text NOT NULL CHECK (length(month) = 7),
  state text NOT NULL CHECK (state IN ('computed', 'approved', 'released')),
  content_hash text NOT NULL,
  line_count bigint NOT NULL,
  total_fen bigint NOT NULL,
  computed_by {uuid} NOT NULL REFERENCES person (id),
  approved_by {uuid} REFERENCES person (id),
  released_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT ck_period_approved_by_another CHECK (approved_by IS NULL OR approved_by <> computed_by),
  CONSTRAINT ck_period_released_by_third CHECK (released_by IS NULL OR (released_by <> computed_by AND released_by <> approved_by)),
  CHECK (released_by IS NULL OR approved_by IS NOT NULL)
);
CREATE UNIQUE INDEX ux_settlement_period ON settlement_period (programme, bureau, month);

CREATE TABLE statement (
  id {uuid} PRIMARY KEY,
  period_id {uuid} NOT NULL REFERENCES settlement_period (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  line_count bigint NOT NULL,
  total_fen bigint NOT NULL,
  split {json} NOT NULL
);
CREATE UNIQUE INDEX ux_statement ON statement (period_id, provider_id);

CREATE TABLE claim_line (
  id {uuid} PRIMARY KEY,
  order_id {uuid} NOT NULL REFERENCES care_order (id),
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  hold_id {uuid} NOT NULL UNIQUE REFERENCES hold (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  bureau text NOT NULL,
  programme text NOT NULL,
  policy_version text NOT NULL,
  benefit text NOT NULL,
  gross_fen bigint NOT NULL CHECK (gross_fen >= 0),
  quoted_fen bigint NOT NULL CHECK (quoted_fen >= 0),
  subsidy_fen bigint NOT NULL CHECK (subsidy_fen >= 0),
  family_fen bigint NOT NULL CHECK (family_fen >= 0),
  units bigint NOT NULL CHECK (units >= 0),
  uses bigint NOT NULL CHECK (uses >= 0),
  split {json} NOT NULL,
  codes {json} NOT NULL,
  state text NOT NULL CHECK (state IN ('posted', 'held', 'voided')),
  service_on date NOT NULL,
  service_month text NOT NULL CHECK (length(service_month) = 7),
  period_id {uuid} REFERENCES settlement_period (id),
  adjudicated_at {instant} NOT NULL,
  decided_by {uuid} REFERENCES person (id),
  version bigint NOT NULL,
  CHECK (subsidy_fen <= quoted_fen AND subsidy_fen + family_fen <= gross_fen),
  CHECK (period_id IS NULL OR state = 'posted')
);
CREATE UNIQUE INDEX ux_claim_line ON claim_line (visit_id, programme, benefit);
CREATE INDEX ix_claim_line_month ON claim_line (programme, bureau, service_month);
CREATE INDEX ix_claim_line_period ON claim_line (period_id);

CREATE TABLE ledger_transfer (
  id {uuid} PRIMARY KEY,
  book text NOT NULL CHECK (book IN ('money', 'entitlement', 'budget')),
  kind text NOT NULL,
  unit text NOT NULL,
  fact text NOT NULL,
  effective_on date NOT NULL,
  booked_at {instant} NOT NULL,
  reverses {uuid} REFERENCES ledger_transfer (id)
);
CREATE UNIQUE INDEX ux_ledger_transfer_fact ON ledger_transfer (book, fact);

CREATE TABLE ledger_entry (
  transfer_id {uuid} NOT NULL REFERENCES ledger_transfer (id),
  line bigint NOT NULL,
  account text NOT NULL,
  side text NOT NULL CHECK (side IN ('debit', 'credit')),
  amount bigint NOT NULL CHECK (amount > 0),
  PRIMARY KEY (transfer_id, line)
);
CREATE INDEX ix_ledger_entry_account ON ledger_entry (account);

CREATE TABLE event (
  id {uuid} PRIMARY KEY,
  stream text NOT NULL,
  seq bigint NOT NULL,
  kind text NOT NULL,
  version bigint NOT NULL,
  payload {json} NOT NULL,
  at {instant} NOT NULL,
  person_id {uuid},
  request_id {uuid} NOT NULL
);
CREATE UNIQUE INDEX ux_event_stream ON event (stream, seq);

-- Events whose deliveries are not written yet: written with the event, taken away with its deliveries.
CREATE TABLE event_pending (
  event_id {uuid} PRIMARY KEY REFERENCES event (id)
);

CREATE TABLE delivery (
  id {uuid} PRIMARY KEY,
  event_id {uuid} NOT NULL REFERENCES event (id),
  subscriber text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'done', 'dead')),
  attempts bigint NOT NULL,
  epoch bigint NOT NULL,
  due_at {instant} NOT NULL,
  lease_until {instant},
  last_error text
);
CREATE UNIQUE INDEX ux_delivery ON delivery (event_id, subscriber);
CREATE INDEX ix_delivery_due ON delivery (state, due_at);

CREATE TABLE job_tick (
  job text NOT NULL,
  period text NOT NULL,
  at {instant} NOT NULL,
  PRIMARY KEY (job, period)
);

CREATE TABLE idempotency_key (
  person_id {uuid} NOT NULL,
  key text NOT NULL,
  command text NOT NULL,
  request_hash text NOT NULL,
  response_enc {blob},
  created_at {instant} NOT NULL,
  PRIMARY KEY (person_id, key)
);

CREATE TABLE audit (
  id {uuid} PRIMARY KEY,
  at {instant} NOT NULL,
  person_id {uuid},
  account_id {uuid},
  session_id {uuid},
  role text,
  actor text NOT NULL,
  action text NOT NULL,
  object text NOT NULL,
  purpose text,
  before_hash text,
  after_hash text,
  request_id {uuid} NOT NULL,
  write_id {uuid} NOT NULL
);
CREATE INDEX ix_audit_write ON audit (write_id);
CREATE INDEX ix_audit_object ON audit (object);

CREATE TABLE audit_seal (
  seq bigint PRIMARY KEY,
  first_audit {uuid} NOT NULL,
  last_audit {uuid} NOT NULL,
  leaves bigint NOT NULL CHECK (leaves > 0),
  root {blob} NOT NULL,
  previous {blob} NOT NULL,
  mac {blob} NOT NULL,
  key_id text NOT NULL,
  sealed_at {instant} NOT NULL
);

-- Rows that no seal holds yet: written with the row, taken away with its seal.
CREATE TABLE audit_unsealed (
  audit_id {uuid} PRIMARY KEY REFERENCES audit (id)
);

CREATE TABLE audit_sealed (
  audit_id {uuid} PRIMARY KEY REFERENCES audit (id),
  seal_seq bigint NOT NULL REFERENCES audit_seal (seq),
  position bigint NOT NULL
);
CREATE UNIQUE INDEX ux_audit_sealed ON audit_sealed (seal_seq, position);
