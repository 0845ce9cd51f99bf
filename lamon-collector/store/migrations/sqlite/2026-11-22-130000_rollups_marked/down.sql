ALTER TABLE rollups_due DROP COLUMN marked;
