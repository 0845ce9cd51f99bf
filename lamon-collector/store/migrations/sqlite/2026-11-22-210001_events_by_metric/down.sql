DROP INDEX events_by_metric;
