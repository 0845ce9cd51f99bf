-- Refused samples are deleted by age and number. MySQL knows no CREATE INDEX IF NOT EXISTS, and a migration that was cut
-- short is run again.
SET @lamon_sql = IF(
    (SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
        AND table_name = 'dead_letter' AND index_name = 'dead_letter_time') > 0,
    'DO 0', 'CREATE INDEX dead_letter_time ON dead_letter (time_ms)');
PREPARE lamon_statement FROM @lamon_sql;
EXECUTE lamon_statement;
DEALLOCATE PREPARE lamon_statement;
