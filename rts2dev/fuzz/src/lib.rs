//! What must hold for any bytes of a peer. Each module has one function `run` that takes such bytes and panics when
//! something does not hold: the fuzz targets call it with what libfuzzer makes up, and rts2-proto's test
//! `corpus.rs` with the files of `corpus/`, which are the smallest set that reaches all that was ever reached.

pub mod client_sessions;
pub mod device_sessions;
pub mod line;
pub mod set_value;
pub mod splitter;
pub mod stream;
