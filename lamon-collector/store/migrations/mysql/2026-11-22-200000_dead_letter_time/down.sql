DROP INDEX dead_letter_time ON dead_letter;
