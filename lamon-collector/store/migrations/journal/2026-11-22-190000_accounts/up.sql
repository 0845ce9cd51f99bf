-- What became of the samples of each node's agent: of the epoch that it last told of, and of those that ended before.
CREATE TABLE accounts (
    node TEXT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    past_taken BIGINT NOT NULL,
    past_stored BIGINT NOT NULL,
    past_lost BIGINT NOT NULL
) WITHOUT ROWID;
