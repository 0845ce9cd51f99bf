-- One row: the first position of this file lies above it.
CREATE TABLE origin (
    position BIGINT NOT NULL PRIMARY KEY
) WITHOUT ROWID;
