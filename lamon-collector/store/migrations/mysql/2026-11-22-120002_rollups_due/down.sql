DROP TABLE rollups_due;
