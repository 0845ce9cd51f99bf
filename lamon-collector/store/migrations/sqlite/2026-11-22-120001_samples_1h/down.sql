DROP TABLE samples_1h;
