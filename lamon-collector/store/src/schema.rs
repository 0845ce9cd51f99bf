//! The tables of an archive, as `migrations/sqlite` and `migrations/mysql` leave them: the same in both.
//!
//! Times are `BIGINT`, milliseconds since 1970-01-01 UTC. Both databases keep such a number exactly, index and compare
//! it alike, and no session's time zone, summer time or end of `TIMESTAMP` in 2038 can change it, where `DATETIME(3)`
//! has no twin in SQLite. People read it with `FROM_UNIXTIME(time_ms / 1000)` and
//! `datetime(time_ms / 1000, 'unixepoch')`.
//!
//! Here are the tables that diesel's own expressions are used for. Those of the rollups have four columns for each core
//! metric, and their statements are made of the list of metrics; `upkeep` and `registers` say theirs themselves.
//!
//! The other metrics are a JSON object in a text column, not in a column of MySQL's type `JSON`, because that type
//! parses the text, orders the keys anew and may give numbers back in another form. JSON functions take text as well.

diesel::table! {
    /// One row per sample; the first writer of a key wins.
    samples (node, time_ms, epoch, sequence) {
        /// The node's name.
        node -> Text,
        /// When the sample was taken, milliseconds since 1970-01-01 UTC.
        time_ms -> BigInt,
        /// The agent's epoch, 0 to 2^32 - 1.
        epoch -> BigInt,
        /// The number within the epoch; the bits of an unsigned number.
        sequence -> BigInt,
        /// The hub that wrote the row.
        hub -> Text,
        /// Busy share of all processors, percent.
        cpu_percent -> Nullable<Double>,
        /// Memory in use, percent.
        memory_percent -> Nullable<Double>,
        /// Swap in use, percent.
        swap_percent -> Nullable<Double>,
        /// The fullest local disk, percent.
        disk_percent -> Nullable<Double>,
        /// Received over physical interfaces, bytes per second.
        nic_in -> Nullable<Double>,
        /// Sent over physical interfaces, bytes per second.
        nic_out -> Nullable<Double>,
        /// Load average over one minute.
        load1 -> Nullable<Double>,
        /// Number of processes.
        processes -> Nullable<Double>,
        /// Seconds since the node was started.
        uptime -> Nullable<Double>,
        /// Hub minus node, seconds.
        clock_offset -> Nullable<Double>,
        /// All other metrics: a JSON object of name and number, NULL when there are none.
        metrics -> Nullable<Text>,
    }
}

diesel::table! {
    /// Samples that `samples` refused, each alone.
    dead_letter (node, time_ms, epoch, sequence) {
        /// The node's name, cut to 255 characters.
        node -> Text,
        /// When the sample was taken, milliseconds since 1970-01-01 UTC.
        time_ms -> BigInt,
        /// The agent's epoch.
        epoch -> BigInt,
        /// The number within the epoch.
        sequence -> BigInt,
        /// The hub that wrote the row.
        hub -> Text,
        /// What the database said.
        reason -> Text,
        /// The whole sample as JSON.
        sample -> Text,
    }
}
