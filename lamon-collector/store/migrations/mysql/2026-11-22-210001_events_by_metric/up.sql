-- The newest event of a kind of every node and metric: how each is now, and which event ends another. In a form that can be
-- run again, as MySQL knows no CREATE INDEX IF NOT EXISTS.
SET @lamon_sql = IF(
    (SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
        AND table_name = 'events' AND index_name = 'events_by_metric') > 0,
    'DO 0', 'CREATE INDEX events_by_metric ON events (kind, node, metric, time_ms)');
PREPARE lamon_statement FROM @lamon_sql;
EXECUTE lamon_statement;
DEALLOCATE PREPARE lamon_statement;
