//! The line protocol of RTS2: lines, values, flags and states, without I/O, clock or runtime.
