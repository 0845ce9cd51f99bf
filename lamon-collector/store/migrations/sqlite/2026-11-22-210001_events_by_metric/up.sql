-- The newest event of a kind of every node and metric: how each is now, and which event ends another.
CREATE INDEX IF NOT EXISTS events_by_metric ON events (kind, node, metric, time_ms);
