DELETE FROM rollups_due;
