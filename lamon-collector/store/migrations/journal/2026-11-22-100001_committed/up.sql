-- The highest sequence number on disk of each node and epoch, and the position of the row that carried it.
CREATE TABLE committed (
    node TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (node, epoch)
) WITHOUT ROWID;
