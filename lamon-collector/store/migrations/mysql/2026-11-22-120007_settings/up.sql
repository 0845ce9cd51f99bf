-- What operators changed, over the configuration file.
CREATE TABLE IF NOT EXISTS settings (
    name VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    value MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    who VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB;
