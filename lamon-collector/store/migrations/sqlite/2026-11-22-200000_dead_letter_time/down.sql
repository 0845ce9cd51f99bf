DROP INDEX dead_letter_time;
