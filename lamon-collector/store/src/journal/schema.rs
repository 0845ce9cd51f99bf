//! The tables of the journal, as `migrations/journal` leaves them.

diesel::table! {
    /// Samples in the order of their arrival.
    entries (position) {
        position -> BigInt,
        node -> Text,
        epoch -> BigInt,
        sequence -> BigInt,
        time_ms -> BigInt,
        cpu_percent -> Nullable<Double>,
        memory_percent -> Nullable<Double>,
        swap_percent -> Nullable<Double>,
        disk_percent -> Nullable<Double>,
        nic_in -> Nullable<Double>,
        nic_out -> Nullable<Double>,
        load1 -> Nullable<Double>,
        processes -> Nullable<Double>,
        uptime -> Nullable<Double>,
        clock_offset -> Nullable<Double>,
        metrics -> Nullable<Text>,
    }
}

diesel::table! {
    /// The highest sequence number on disk of each node and epoch.
    committed (node, epoch) {
        node -> Text,
        epoch -> BigInt,
        sequence -> BigInt,
        position -> BigInt,
    }
}

diesel::table! {
    /// How far each archive has come.
    cursors (archive) {
        archive -> Text,
        position -> BigInt,
    }
}

diesel::table! {
    /// One row: all positions of this file lie above it.
    origin (position) {
        position -> BigInt,
    }
}

diesel::table! {
    /// What became of the samples of each node's agent.
    accounts (node) {
        node -> Text,
        epoch -> BigInt,
        taken -> BigInt,
        stored -> BigInt,
        lost -> BigInt,
        past_taken -> BigInt,
        past_stored -> BigInt,
        past_lost -> BigInt,
    }
}

diesel::table! {
    /// Events on their way to the archive.
    events (number) {
        number -> BigInt,
        time_ms -> BigInt,
        node -> Nullable<Text>,
        metric -> Nullable<Text>,
        kind -> Text,
        level -> Text,
        text -> Text,
    }
}

diesel::table! {
    /// One row: which time is believed, see [`AgeClock`](crate::age::AgeClock).
    clock (believed_ms) {
        believed_ms -> BigInt,
        doubted_ms -> BigInt,
    }
}
