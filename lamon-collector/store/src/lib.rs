//! The durable side of lamon: journal, archives in SQLite and MySQL, schema and migrations.
