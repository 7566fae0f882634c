-- Takes the providers' part away, children first.

DROP TABLE purchase_list;
DROP TABLE catalogue_edition;
DROP TABLE carer_leave;
DROP TABLE carer_profile;
DROP TABLE payout_account;
DROP TABLE bank_account;
DROP TABLE licence_request;
DROP TABLE qualification_review;
DROP TABLE provider_agreement;
DROP TABLE provider_profile;
DROP TABLE credit_code_review;
DROP TABLE provider_step;
