-- Takes the depth of money away again. A hold that expired reads as voided, a projected window as open.

DROP TABLE claim_correction;
DROP TABLE reversal;
DROP TABLE settlement_draft;
DROP TABLE consent_request;

UPDATE hold SET state = 'voided' WHERE state = 'expired';
ALTER TABLE hold ADD COLUMN state_then text NOT NULL DEFAULT 'held' CHECK (state_then IN ('held', 'posted', 'voided'));
UPDATE hold SET state_then = state;
ALTER TABLE hold DROP COLUMN state;
ALTER TABLE hold RENAME COLUMN state_then TO state;

ALTER TABLE entitlement_window DROP COLUMN state;
