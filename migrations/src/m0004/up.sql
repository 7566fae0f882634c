-- Visits in full: devices with keys, events that do not fit, corrections, reports, safety checks, incidents.

CREATE TABLE device (
  id {uuid} PRIMARY KEY,
  person_id {uuid} NOT NULL REFERENCES person (id),
  algorithm text NOT NULL CHECK (algorithm IN ('ed25519', 'p256')),
  public_key {blob} NOT NULL,
  genesis text NOT NULL CHECK (length(genesis) = 64),
  bound_at {instant} NOT NULL,
  revoked_at {instant},
  revoked_by {uuid} REFERENCES person (id),
  version bigint NOT NULL,
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE UNIQUE INDEX ux_device_key ON device (public_key);
CREATE INDEX ix_device_person ON device (person_id);

-- What a device signed: its own sequence, kept whether the event fits its visit or not.
CREATE TABLE device_event (
  event_id {uuid} PRIMARY KEY,
  device_id {uuid} NOT NULL REFERENCES device (id),
  sequence bigint NOT NULL CHECK (sequence > 0),
  previous text NOT NULL CHECK (length(previous) = 64),
  digest text NOT NULL CHECK (length(digest) = 64),
  finding text NOT NULL CHECK (finding IN ('sound', 'time_unproven', 'device_revoked', 'sequence_used'))
);
CREATE UNIQUE INDEX ux_device_event_sequence ON device_event (device_id, sequence) WHERE finding <> 'sequence_used';

CREATE TABLE quarantined_event (
  id {uuid} PRIMARY KEY,
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  carer_id {uuid} NOT NULL REFERENCES carer (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  client_event_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('clock_in', 'clock_out')),
  occurred_at {instant} NOT NULL,
  received_at {instant} NOT NULL,
  evidence_enc {blob} NOT NULL,
  digest text NOT NULL,
  reason text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'corrected', 'discarded')),
  owner_role text,
  deadline_at {instant},
  resolved_by {uuid} REFERENCES person (id),
  resolved_at {instant},
  version bigint NOT NULL,
  CHECK ((state = 'open') = (resolved_by IS NULL)),
  CHECK ((state = 'open') = (deadline_at IS NOT NULL))
);
CREATE UNIQUE INDEX ux_quarantined_event_client ON quarantined_event (carer_id, client_event_id);
CREATE INDEX ix_quarantined_event_visit ON quarantined_event (visit_id);
CREATE INDEX ix_quarantined_event_provider ON quarantined_event (provider_id, state, deadline_at);

CREATE TABLE visit_correction (
  id {uuid} PRIMARY KEY,
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  carer_id {uuid} NOT NULL REFERENCES carer (id),
  kind text NOT NULL CHECK (kind IN ('clock_in', 'clock_out')),
  occurred_at {instant} NOT NULL,
  reason text NOT NULL,
  note_enc {blob},
  quarantined_event_id {uuid} UNIQUE REFERENCES quarantined_event (id),
  made_by {uuid} NOT NULL REFERENCES person (id),
  made_at {instant} NOT NULL
);
CREATE INDEX ix_visit_correction_visit ON visit_correction (visit_id);

CREATE TABLE visit_report (
  id {uuid} PRIMARY KEY,
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  carer_id {uuid} NOT NULL REFERENCES carer (id),
  client_event_id text NOT NULL,
  occurred_at {instant} NOT NULL,
  received_at {instant} NOT NULL,
  body_enc {blob} NOT NULL,
  digest text NOT NULL
);
CREATE UNIQUE INDEX ux_visit_report_client ON visit_report (carer_id, client_event_id);
CREATE INDEX ix_visit_report_visit ON visit_report (visit_id);

CREATE TABLE safety_check (
  id {uuid} PRIMARY KEY,
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  carer_id {uuid} NOT NULL REFERENCES carer (id),
  client_event_id text NOT NULL,
  occurred_at {instant} NOT NULL,
  received_at {instant} NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('passed', 'measure_again', 'stopped')),
  body_enc {blob} NOT NULL,
  digest text NOT NULL
);
CREATE UNIQUE INDEX ux_safety_check_client ON safety_check (carer_id, client_event_id);
CREATE INDEX ix_safety_check_visit ON safety_check (visit_id);

CREATE TABLE incident (
  id {uuid} PRIMARY KEY,
  visit_id {uuid} NOT NULL REFERENCES visit (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  division text NOT NULL CHECK (length(division) = 12),
  client_event_id text NOT NULL,
  kind text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('minor', 'serious', 'critical')),
  occurred_at {instant} NOT NULL,
  reported_at {instant} NOT NULL,
  reported_by {uuid} NOT NULL REFERENCES person (id),
  account_enc {blob} NOT NULL,
  measures_enc {blob},
  digest text NOT NULL,
  state text NOT NULL CHECK (state IN ('reported', 'in_handling', 'resolved', 'closed')),
  owner_role text,
  deadline_at {instant},
  resolved_by {uuid} REFERENCES person (id),
  closed_by {uuid} REFERENCES person (id),
  version bigint NOT NULL,
  CHECK ((state = 'closed') = (deadline_at IS NULL)),
  CHECK (state NOT IN ('resolved', 'closed') OR (resolved_by IS NOT NULL AND measures_enc IS NOT NULL)),
  CHECK (closed_by IS NULL OR closed_by <> resolved_by)
);
CREATE UNIQUE INDEX ux_incident_client ON incident (reported_by, client_event_id);
CREATE INDEX ix_incident_visit ON incident (visit_id);
CREATE INDEX ix_incident_provider ON incident (provider_id, state, deadline_at);
CREATE INDEX ix_incident_division ON incident (division, state, deadline_at);
