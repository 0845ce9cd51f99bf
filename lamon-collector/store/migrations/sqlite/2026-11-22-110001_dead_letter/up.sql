-- Samples that the table samples refused, each with the reason; nothing reads them but people.
CREATE TABLE dead_letter (
    node TEXT NOT NULL,
    time_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hub TEXT NOT NULL,
    reason TEXT NOT NULL,
    sample TEXT NOT NULL,
    PRIMARY KEY (node, time_ms, epoch, sequence)
);
