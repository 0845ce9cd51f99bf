DROP INDEX events_by_metric ON events;
