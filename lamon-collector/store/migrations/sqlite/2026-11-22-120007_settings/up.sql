-- What operators changed, over the configuration file.
CREATE TABLE settings (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;
