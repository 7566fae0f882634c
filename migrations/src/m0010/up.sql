-- Onboarding: what a city brings from before, taken over from sheets.

-- A sheet that was handed in. Its content is kept, encrypted, only while it waits for another person's approval.
CREATE TABLE sheet_import (
  id {uuid} PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('residents', 'entitlements', 'providers', 'carers', 'prices')),
  digest text NOT NULL,
  row_count bigint NOT NULL CHECK (row_count > 0),
  new_count bigint NOT NULL CHECK (new_count >= 0 AND new_count <= row_count),
  state text NOT NULL CHECK (state IN ('submitted', 'applied', 'refused')),
  sheet_enc {blob},
  submitted_by {uuid} NOT NULL REFERENCES person (id),
  decided_by {uuid} REFERENCES person (id),
  created_at {instant} NOT NULL,
  decided_at {instant},
  version bigint NOT NULL,
  CONSTRAINT ck_sheet_import_four_eyes CHECK (decided_by IS NULL OR decided_by <> submitted_by),
  CHECK ((state = 'submitted') = (sheet_enc IS NOT NULL)),
  CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);
CREATE INDEX ix_sheet_import_state ON sheet_import (state);

-- Rows that were taken over: a keyed index of what a row is about, and a keyed digest of what it said.
CREATE TABLE imported_row (
  kind text NOT NULL,
  key_index {blob} NOT NULL,
  text_digest {blob} NOT NULL,
  import_id {uuid} NOT NULL REFERENCES sheet_import (id),
  PRIMARY KEY (kind, key_index)
);
CREATE INDEX ix_imported_row_import ON imported_row (import_id);

-- What was used of a window before this system kept its books.
CREATE TABLE opening_use (
  window_id {uuid} PRIMARY KEY REFERENCES entitlement_window (id),
  units bigint NOT NULL CHECK (units > 0),
  import_id {uuid} NOT NULL REFERENCES sheet_import (id)
);
CREATE INDEX ix_opening_use_import ON opening_use (import_id);

-- The ability level that an assessment of before found: it counts until the first assessment here is confirmed.
-- A resident has at most one, under the resident's id.
CREATE TABLE carried_level (
  id {uuid} PRIMARY KEY REFERENCES resident (id),
  level_enc {blob} NOT NULL,
  assessed_on date NOT NULL,
  valid_until date NOT NULL,
  import_id {uuid} NOT NULL REFERENCES sheet_import (id),
  CHECK (assessed_on < valid_until)
);
CREATE INDEX ix_carried_level_import ON carried_level (import_id);
