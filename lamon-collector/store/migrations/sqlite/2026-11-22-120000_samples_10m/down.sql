DROP TABLE samples_10m;
