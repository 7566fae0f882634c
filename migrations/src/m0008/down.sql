-- Takes the tables of operation away.

DROP TABLE backup_made;
