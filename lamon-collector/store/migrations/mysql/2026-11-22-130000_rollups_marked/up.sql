-- How often a rollup was noted as due after the first time. What changes a row is seen by who takes it away on another node
-- of a Galera cluster. In a form that can be run again, which MySQL's ADD COLUMN cannot.
SET @lamon_sql = IF(
    (SELECT COUNT(*) FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'rollups_due' AND COLUMN_NAME = 'marked') = 0,
    'ALTER TABLE rollups_due ADD COLUMN marked BIGINT NOT NULL DEFAULT 0',
    'DO 0');
PREPARE lamon_statement FROM @lamon_sql;
EXECUTE lamon_statement;
DEALLOCATE PREPARE lamon_statement;
