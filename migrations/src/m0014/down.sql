-- Takes requests for authenticators, bearer keys and the accounts' kind away.

DROP TABLE authenticator_reset;
DROP TABLE access_key;
ALTER TABLE account DROP COLUMN kind;
