-- One row per sample. The table keeps the order of arrival (cheap to append), the key finds a node's range.
CREATE TABLE samples (
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 32),
    time_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hub TEXT NOT NULL CHECK (length(hub) BETWEEN 1 AND 64),
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
    metrics TEXT,
    PRIMARY KEY (node, time_ms, epoch, sequence)
);
