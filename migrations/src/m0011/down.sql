-- Takes offers, cancellations, disputes, day care and unmet demand away.

DROP TABLE dispute_statement;
DROP TABLE dispute;
DROP TABLE day_care_seat;
DROP TABLE day_care_count;
DROP TABLE day_care_room;
DROP TABLE day_care_centre;
DROP TABLE cancellation;
DROP TABLE unmet_demand;
DROP TABLE offer;
ALTER TABLE care_order DROP COLUMN escalations;
ALTER TABLE care_order DROP COLUMN family_max_fen;
ALTER TABLE care_order DROP COLUMN offer_mode;
