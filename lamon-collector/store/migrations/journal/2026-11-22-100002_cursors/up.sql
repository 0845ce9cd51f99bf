-- How far each archive has come: every row up to and including this position is committed there.
CREATE TABLE cursors (
    archive TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
) WITHOUT ROWID;
