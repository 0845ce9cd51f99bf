-- The metric that an event is about, where it is about one alone.
ALTER TABLE events ADD COLUMN metric TEXT;
