-- One row: the time that is believed, milliseconds since 1970, and for how long the wall clock has been another.
CREATE TABLE clock (
    believed_ms BIGINT NOT NULL PRIMARY KEY,
    doubted_ms BIGINT NOT NULL
) WITHOUT ROWID;
