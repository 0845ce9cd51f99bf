-- Samples that the table samples refused, each with the reason; nothing reads them but people.
CREATE TABLE IF NOT EXISTS dead_letter (
    node VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    time_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hub VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    sample MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (node, time_ms, epoch, sequence)
) ENGINE = InnoDB;
