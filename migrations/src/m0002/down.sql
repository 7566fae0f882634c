-- Takes the registry's later tables away, children first.

DROP INDEX ix_application_deadline;
DROP TABLE application_note;
DROP TABLE resident_review;
DROP TABLE entitlement_review;
ALTER TABLE entitlement DROP COLUMN ended_as;
DROP TABLE past_relation;
ALTER TABLE service_address DROP COLUMN ended_on;
DROP TABLE resident_registration;
DROP TABLE resident_match;
DROP TABLE resident_status;
DROP TABLE resident_fact;
