//! What every lamon daemon does the same way: configuration file, logs, signals, systemd, exit codes.
