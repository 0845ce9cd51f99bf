//! RTS2 for Rust: write an RTS2 device, or talk to one.
