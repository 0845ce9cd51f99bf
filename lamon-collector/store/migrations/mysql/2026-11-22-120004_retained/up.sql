-- From when on a node's rows of a tier (0 for samples, else the width in milliseconds) are still there: what was older
-- has been rolled up and deleted. MySQL knows it from its partitions.
CREATE TABLE IF NOT EXISTS retained (
    tier_ms BIGINT NOT NULL,
    node VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    from_ms BIGINT NOT NULL,
    PRIMARY KEY (tier_ms, node)
) ENGINE = InnoDB;
