//! The family end to end, against real servers; the load generator and the demonstration.
