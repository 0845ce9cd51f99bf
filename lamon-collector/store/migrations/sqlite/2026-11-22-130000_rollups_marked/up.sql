-- How often a rollup was noted as due after the first time. Of use in MySQL alone, see there.
ALTER TABLE rollups_due ADD COLUMN marked BIGINT NOT NULL DEFAULT 0;
