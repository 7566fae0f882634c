-- Findings of supervision: which pattern, on which thing, with which values.

CREATE TABLE flag (
  id {uuid} PRIMARY KEY,
  rule text NOT NULL,
  object text NOT NULL,
  provider_id {uuid} REFERENCES provider (id),
  month text NOT NULL CHECK (length(month) = 7),
  evidence {json} NOT NULL,
  raised_at {instant} NOT NULL
);
CREATE UNIQUE INDEX ux_flag ON flag (rule, object, month);
CREATE INDEX ix_flag_provider ON flag (provider_id, month);
