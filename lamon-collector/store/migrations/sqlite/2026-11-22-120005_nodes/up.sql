-- Every node that was ever heard.
CREATE TABLE nodes (
    node TEXT NOT NULL,
    first_heard_ms BIGINT NOT NULL,
    last_heard_ms BIGINT NOT NULL,
    os TEXT,
    agent_version TEXT,
    hub TEXT NOT NULL,
    PRIMARY KEY (node)
) WITHOUT ROWID;
