-- Every node that was ever heard.
CREATE TABLE IF NOT EXISTS nodes (
    node VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    first_heard_ms BIGINT NOT NULL,
    last_heard_ms BIGINT NOT NULL,
    os VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    agent_version VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    hub VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    PRIMARY KEY (node)
) ENGINE = InnoDB;
