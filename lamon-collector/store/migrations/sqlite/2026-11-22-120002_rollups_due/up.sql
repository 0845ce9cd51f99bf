-- Which rollups lack rows that have come: the width in milliseconds (600000 or 3600000), the beginning, the node.
CREATE TABLE rollups_due (
    tier_ms BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    node TEXT NOT NULL,
    PRIMARY KEY (tier_ms, time_ms, node)
) WITHOUT ROWID;
