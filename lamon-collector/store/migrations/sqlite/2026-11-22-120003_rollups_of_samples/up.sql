-- Samples that were there before the rollups are due.
INSERT INTO rollups_due (tier_ms, time_ms, node)
SELECT DISTINCT 600000, time_ms - time_ms % 600000, node FROM samples WHERE time_ms >= 0;
