-- Offers of an order to one provider after another or to several at once; cancellations; seats of day-care centres; wanted services that nobody gave.

ALTER TABLE care_order ADD COLUMN offer_mode text NOT NULL DEFAULT 'named_first'
  CHECK (offer_mode IN ('named_only', 'named_first', 'one_by_one', 'several'));
-- The most that the family has agreed to pay, whoever serves.
ALTER TABLE care_order ADD COLUMN family_max_fen bigint NOT NULL DEFAULT 0 CHECK (family_max_fen >= 0);
-- How often what was overdue went to the next owner.
ALTER TABLE care_order ADD COLUMN escalations bigint NOT NULL DEFAULT 0 CHECK (escalations >= 0);
UPDATE care_order SET family_max_fen = family_fen;

CREATE TABLE offer (
  id {uuid} PRIMARY KEY,
  order_id {uuid} NOT NULL REFERENCES care_order (id),
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  gross_fen bigint NOT NULL CHECK (gross_fen >= 0),
  family_fen bigint NOT NULL CHECK (family_fen BETWEEN 0 AND gross_fen),
  round bigint NOT NULL CHECK (round > 0),
  rank_reasons {json} NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn', 'returned')),
  deadline_at {instant} NOT NULL,
  offered_at {instant} NOT NULL,
  answered_at {instant},
  answered_by {uuid} REFERENCES person (id),
  reason text,
  version bigint NOT NULL,
  CHECK ((state = 'open') = (answered_at IS NULL)),
  CHECK ((state IN ('declined', 'returned')) = (reason IS NOT NULL))
);
CREATE UNIQUE INDEX ux_offer ON offer (order_id, provider_id);
CREATE UNIQUE INDEX ux_offer_accepted ON offer (order_id) WHERE state = 'accepted';
CREATE INDEX ix_offer_provider ON offer (provider_id, state);
-- Orders from before were put before the one provider that was quoted; what waits or was accepted goes on.
INSERT INTO offer (id, order_id, provider_id, gross_fen, family_fen, round, rank_reasons, state, deadline_at, offered_at, answered_at, version)
  SELECT id, id, provider_id, gross_fen, family_fen, 1, '["named"]',
    CASE WHEN state = 'offered' THEN 'open' ELSE 'accepted' END, COALESCE(deadline_at, starts_at), created_at,
    CASE WHEN state = 'offered' THEN NULL ELSE created_at END, 1
  FROM care_order
  WHERE state IN ('offered', 'accepted', 'assigned', 'in_service', 'completed', 'confirmed', 'disputed', 'dispute_decided', 'missed');

CREATE TABLE unmet_demand (
  order_id {uuid} PRIMARY KEY REFERENCES care_order (id),
  division text NOT NULL REFERENCES division (code),
  item text NOT NULL,
  class text NOT NULL,
  starts_at {instant} NOT NULL,
  reason text NOT NULL,
  recorded_at {instant} NOT NULL
);
CREATE INDEX ix_unmet_demand_division ON unmet_demand (division, starts_at);

-- What a cancellation cost and why; the rule as it was at that moment.
CREATE TABLE cancellation (
  order_id {uuid} PRIMARY KEY REFERENCES care_order (id),
  cancelled_by {uuid} REFERENCES person (id),
  role text,
  reason text NOT NULL,
  because text NOT NULL,
  fee_fen bigint NOT NULL CHECK (fee_fen >= 0),
  share_points bigint NOT NULL CHECK (share_points BETWEEN 0 AND 10000),
  free_until {instant} NOT NULL,
  cancelled_at {instant} NOT NULL
);

CREATE TABLE day_care_centre (
  id {uuid} PRIMARY KEY,
  provider_id {uuid} NOT NULL REFERENCES provider (id),
  name text NOT NULL,
  division text NOT NULL REFERENCES division (code),
  timetable {json} NOT NULL,
  closing_days {json} NOT NULL,
  opened_by {uuid} NOT NULL REFERENCES person (id),
  created_at {instant} NOT NULL
);
CREATE INDEX ix_day_care_centre_provider ON day_care_centre (provider_id);
CREATE INDEX ix_day_care_centre_division ON day_care_centre (division);

CREATE TABLE day_care_room (
  id {uuid} PRIMARY KEY,
  centre_id {uuid} NOT NULL REFERENCES day_care_centre (id),
  name text NOT NULL,
  seats bigint NOT NULL CHECK (seats > 0)
);
CREATE UNIQUE INDEX ux_day_care_room ON day_care_room (centre_id, name);

-- Seats of a room in one half of a day; the row appears with the first booking.
CREATE TABLE day_care_count (
  room_id {uuid} NOT NULL REFERENCES day_care_room (id),
  day date NOT NULL,
  half text NOT NULL CHECK (half IN ('morning', 'afternoon')),
  seats bigint NOT NULL CHECK (seats > 0),
  taken bigint NOT NULL,
  PRIMARY KEY (room_id, day, half),
  CONSTRAINT ck_day_care_capacity CHECK (taken BETWEEN 0 AND seats)
);

-- Who has which seat.
CREATE TABLE day_care_seat (
  order_id {uuid} NOT NULL REFERENCES care_order (id),
  half text NOT NULL CHECK (half IN ('morning', 'afternoon')),
  room_id {uuid} NOT NULL REFERENCES day_care_room (id),
  day date NOT NULL,
  freed {bool} NOT NULL,
  PRIMARY KEY (order_id, half)
);
CREATE INDEX ix_day_care_seat_room ON day_care_seat (room_id, day);

-- What a family said was wrong, and what the bureau decided.
CREATE TABLE dispute (
  order_id {uuid} PRIMARY KEY REFERENCES care_order (id),
  reason text NOT NULL,
  raised_by {uuid} NOT NULL REFERENCES person (id),
  raised_at {instant} NOT NULL,
  outcome text CHECK (outcome IN ('full', 'part', 'none')),
  share_points bigint CHECK (share_points BETWEEN 0 AND 10000),
  decided_by {uuid} REFERENCES person (id),
  decided_at {instant},
  CONSTRAINT ck_dispute_decided_by_another CHECK (decided_by IS NULL OR decided_by <> raised_by),
  CHECK ((outcome IS NULL) = (decided_by IS NULL) AND (outcome IS NULL) = (share_points IS NULL) AND (outcome IS NULL) = (decided_at IS NULL))
);
INSERT INTO dispute (order_id, reason, raised_by, raised_at)
  SELECT id, 'not_as_agreed', placed_by, created_at FROM care_order WHERE state = 'disputed';

CREATE TABLE dispute_statement (
  id {uuid} PRIMARY KEY,
  order_id {uuid} NOT NULL REFERENCES dispute (order_id),
  side text NOT NULL CHECK (side IN ('family', 'provider', 'bureau')),
  person_id {uuid} NOT NULL REFERENCES person (id),
  text_enc {blob} NOT NULL,
  made_at {instant} NOT NULL
);
CREATE INDEX ix_dispute_statement_order ON dispute_statement (order_id, made_at);
