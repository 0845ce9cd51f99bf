-- The metric that an event is about, where it is about one alone. Events of releases before have none.
ALTER TABLE events ADD COLUMN metric TEXT;
