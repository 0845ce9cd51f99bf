-- What happened, of a node or of a hub. The number is the hub's, never used twice.
CREATE TABLE IF NOT EXISTS events (
    time_ms BIGINT NOT NULL,
    hub VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number BIGINT NOT NULL,
    node VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    level VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    text TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (time_ms, hub, number)
) ENGINE = InnoDB;
