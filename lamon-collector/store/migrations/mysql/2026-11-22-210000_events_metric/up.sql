-- The metric that an event is about, where it is about one alone. Events of releases before have none. In a form that can be
-- run again, which MySQL's ADD COLUMN cannot.
SET @lamon_sql = IF(
    (SELECT COUNT(*) FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'events' AND COLUMN_NAME = 'metric') = 0,
    'ALTER TABLE events ADD COLUMN metric VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin',
    'DO 0');
PREPARE lamon_statement FROM @lamon_sql;
EXECUTE lamon_statement;
DEALLOCATE PREPARE lamon_statement;
