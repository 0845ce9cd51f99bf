-- Which rollups lack rows that have come: the width in milliseconds (600000 or 3600000), the beginning, the node.
CREATE TABLE IF NOT EXISTS rollups_due (
    tier_ms BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    node VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (tier_ms, time_ms, node)
) ENGINE = InnoDB;
