-- One row per sample, clustered by node and time. IF NOT EXISTS because MySQL cannot roll back what defines a table:
-- a migration that was cut short can be run again.
-- It is born with partitions, to which the hub adds its months: a server that is killed while it partitions a table that
-- has none cannot read that table any more (MariaDB 10.11, "Failed to read from the .par file").
CREATE TABLE IF NOT EXISTS samples (
    node VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    time_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hub VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    cpu_percent DOUBLE,
    memory_percent DOUBLE,
    swap_percent DOUBLE,
    disk_percent DOUBLE,
    nic_in DOUBLE,
    nic_out DOUBLE,
    load1 DOUBLE,
    processes DOUBLE,
    uptime DOUBLE,
    clock_offset DOUBLE,
    metrics MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    PRIMARY KEY (node, time_ms, epoch, sequence)
) ENGINE = InnoDB
PARTITION BY RANGE (time_ms) (
    PARTITION past VALUES LESS THAN (0),
    PARTITION rest VALUES LESS THAN MAXVALUE
);
