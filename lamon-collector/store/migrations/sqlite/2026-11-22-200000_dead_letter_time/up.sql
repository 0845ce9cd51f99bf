-- Refused samples are deleted by age and number.
CREATE INDEX IF NOT EXISTS dead_letter_time ON dead_letter (time_ms);
