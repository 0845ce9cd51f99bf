-- Samples in the order of their arrival. The position is given by the program and never used twice.
CREATE TABLE entries (
    position INTEGER NOT NULL PRIMARY KEY,
    node TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
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
    metrics TEXT
);
