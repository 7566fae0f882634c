DROP TABLE incident;
DROP TABLE safety_check;
DROP TABLE visit_report;
DROP TABLE visit_correction;
DROP TABLE quarantined_event;
DROP TABLE device_event;
DROP TABLE device;
