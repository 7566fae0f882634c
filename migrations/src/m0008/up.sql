-- Operation: the backups that were made.

CREATE TABLE backup_made (
  id {uuid} PRIMARY KEY,
  taken_at {instant} NOT NULL,
  bytes bigint NOT NULL CHECK (bytes > 0),
  sha256 text NOT NULL CHECK (length(sha256) = 64)
);
CREATE INDEX ix_backup_made_taken ON backup_made (taken_at);
