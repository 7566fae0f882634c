-- The registry in full: dated facts with evidence, life status, ended addresses and relations, marks by which
-- possible duplicates are found; and the reviews that change an entitlement when its grounds change.

-- One statement about a resident. What it says and on what it rests is encrypted; its days are not.
CREATE TABLE resident_fact (
  id {uuid} PRIMARY KEY,
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  state text NOT NULL CHECK (state IN ('claimed', 'verified', 'rejected')),
  statement_enc {blob} NOT NULL,
  evidence_enc {blob},
  valid_from date NOT NULL,
  valid_until date,
  recorded_by {uuid} REFERENCES person (id),
  recorded_at {instant} NOT NULL,
  settled_by {uuid} REFERENCES person (id),
  settled_at {instant},
  ended_on date,
  ended_by {uuid} REFERENCES person (id),
  ended_at {instant},
  version bigint NOT NULL,
  CHECK (valid_until IS NULL OR valid_from < valid_until),
  CONSTRAINT ck_fact_settled CHECK ((state = 'claimed') = (settled_at IS NULL)),
  CONSTRAINT ck_fact_ended CHECK ((ended_on IS NULL) = (ended_at IS NULL))
);
CREATE INDEX ix_resident_fact_resident ON resident_fact (resident_id);
CREATE INDEX ix_resident_fact_claimed ON resident_fact (recorded_at) WHERE state = 'claimed';

-- The life statuses of a resident in the order in which they were recorded. A wrong death is corrected by a later row
-- that names it.
CREATE TABLE resident_status (
  id {uuid} PRIMARY KEY,
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  seq bigint NOT NULL CHECK (seq > 0),
  status text NOT NULL CHECK (status IN ('alive', 'hospital', 'institution', 'moved', 'dead')),
  since date NOT NULL,
  corrects {uuid} UNIQUE REFERENCES resident_status (id),
  reason_enc {blob},
  recorded_by {uuid} REFERENCES person (id),
  recorded_at {instant} NOT NULL,
  CONSTRAINT ck_status_correction_has_reason CHECK (corrects IS NULL OR (reason_enc IS NOT NULL AND recorded_by IS NOT NULL))
);
CREATE UNIQUE INDEX ux_resident_status ON resident_status (resident_id, seq);

-- Blind indexes of what two registrations of one person would share.
CREATE TABLE resident_match (
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  kind text NOT NULL CHECK (kind IN ('number', 'name_and_birth', 'phone')),
  match_index {blob} NOT NULL,
  PRIMARY KEY (resident_id, kind)
);
CREATE INDEX ix_resident_match ON resident_match (match_index);

-- Who registered a resident, and at whose wish.
CREATE TABLE resident_registration (
  resident_id {uuid} PRIMARY KEY REFERENCES resident (id),
  channel text NOT NULL CHECK (channel IN ('self', 'family', 'community')),
  requested_by text NOT NULL,
  registered_by {uuid} REFERENCES person (id),
  registered_at {instant} NOT NULL
);

ALTER TABLE service_address ADD COLUMN ended_on date;

-- Relations that have ended; the row of the relation may have begun again since.
CREATE TABLE past_relation (
  id {uuid} PRIMARY KEY,
  person_id {uuid} NOT NULL REFERENCES person (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  relation text NOT NULL,
  consent {json} NOT NULL,
  valid_from date NOT NULL,
  valid_until date NOT NULL,
  recorded_by {uuid} REFERENCES person (id),
  ended_by {uuid} REFERENCES person (id),
  ended_at {instant} NOT NULL
);
CREATE INDEX ix_past_relation_resident ON past_relation (resident_id);

-- How an entitlement came to its end, where a review ended it: a suspended one begins again by itself.
ALTER TABLE entitlement ADD COLUMN ended_as text CHECK (ended_as IN ('suspended', 'stopped'));

-- An entitlement decided anew: every rule that was tried, and what follows from which day on.
CREATE TABLE entitlement_review (
  id {uuid} PRIMARY KEY,
  entitlement_id {uuid} NOT NULL REFERENCES entitlement (id),
  resident_id {uuid} NOT NULL REFERENCES resident (id),
  programme text NOT NULL,
  policy_version_id {uuid} NOT NULL REFERENCES policy_version (id),
  outcome text NOT NULL CHECK (outcome IN ('stopped', 'suspended', 'resumed', 'changed')),
  explanation_enc {blob} NOT NULL,
  ceased_on date,
  effective_on date NOT NULL,
  reviewed_at {instant} NOT NULL,
  CONSTRAINT ck_review_ceased CHECK ((outcome IN ('stopped', 'suspended')) = (ceased_on IS NOT NULL))
);
CREATE INDEX ix_entitlement_review_entitlement ON entitlement_review (entitlement_id);
CREATE INDEX ix_entitlement_review_resident ON entitlement_review (resident_id);

-- When the entitlements of a resident must be looked at next, whatever happens until then.
CREATE TABLE resident_review (
  resident_id {uuid} PRIMARY KEY REFERENCES resident (id),
  due_on date NOT NULL,
  reviewed_on date
);
CREATE INDEX ix_resident_review_due ON resident_review (due_on);
INSERT INTO resident_review (resident_id, due_on) SELECT resident_id, MIN(effective_from) FROM entitlement GROUP BY resident_id;

-- What was written about a step of an application: the objection, what came of looking into it, why it was refused.
CREATE TABLE application_note (
  id {uuid} PRIMARY KEY,
  application_id {uuid} NOT NULL REFERENCES application (id),
  step text NOT NULL CHECK (step IN ('refuse', 'object', 'reopen')),
  text_enc {blob} NOT NULL,
  written_by {uuid} NOT NULL REFERENCES person (id),
  written_at {instant} NOT NULL
);
CREATE INDEX ix_application_note_application ON application_note (application_id);
CREATE INDEX ix_application_deadline ON application (owner_role, deadline_on);
