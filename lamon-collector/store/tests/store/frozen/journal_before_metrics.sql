-- A journal as the hub left it before events had their metric (November 2026). Frozen: it must be read for ever.
BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO "__diesel_schema_migrations" VALUES('20261122100000','2026-11-29 09:12:46');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122100001','2026-11-29 09:12:46');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122100002','2026-11-29 09:12:46');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122100003','2026-11-29 09:12:46');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122120000','2026-11-29 09:12:46');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122190000','2026-11-29 09:12:46');
INSERT INTO "__diesel_schema_migrations" VALUES('20261122200000','2026-11-29 09:12:46');
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
CREATE TABLE clock (
    believed_ms BIGINT NOT NULL PRIMARY KEY,
    doubted_ms BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO "clock" VALUES(1795943566588,0);
CREATE TABLE committed (
    node TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (node, epoch)
) WITHOUT ROWID;
CREATE TABLE cursors (
    archive TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO "cursors" VALUES('mysql://lamon@127.0.0.1:1/lamon',0);
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
INSERT INTO "entries" VALUES(1795943566569250,'ccd01',4008936781,1,1795943566462,NULL,NULL,NULL,97.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "entries" VALUES(1795943566569251,'ccd01',4008936781,2,1795943566606,NULL,NULL,NULL,50.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE events (
    number INTEGER NOT NULL PRIMARY KEY,
    time_ms BIGINT NOT NULL,
    node TEXT,
    kind TEXT NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
);
INSERT INTO "events" VALUES(1795943566569250,1795943566462,'ccd01','joined','good','ccd01: heard for the first time since the hub''s start');
INSERT INTO "events" VALUES(1795943566569251,1795943566462,'ccd01','level','error','ccd01 disk_percent 97 % over 90: error');
INSERT INTO "events" VALUES(1795943566605000,1795943566605,NULL,'database_failed','warning','mysql://lamon@127.0.0.1:1/lamon is not available: Connection refused (os error 111); samples wait in the journal');
INSERT INTO "events" VALUES(1795943566606000,1795943566606,'ccd01','level','good','ccd01 disk_percent 50 % is good again after 0 s in error');
CREATE TABLE origin (
    position BIGINT NOT NULL PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO "origin" VALUES(1795943566569249);
COMMIT;
