-- What happened, of a node or of a hub. The number is the hub's, never used twice.
CREATE TABLE events (
    time_ms BIGINT NOT NULL,
    hub TEXT NOT NULL,
    number BIGINT NOT NULL,
    node TEXT,
    kind TEXT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (time_ms, hub, number)
) WITHOUT ROWID;
