-- Events on their way to the archive, deleted when it has them. The number is given by the program and never used twice.
CREATE TABLE events (
    number INTEGER NOT NULL PRIMARY KEY,
    time_ms BIGINT NOT NULL,
    node TEXT,
    kind TEXT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
);
