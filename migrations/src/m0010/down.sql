DROP TABLE carried_level;
DROP TABLE opening_use;
DROP TABLE imported_row;
DROP TABLE sheet_import;
