//! What must hold for any bytes of somebody whom the hub does not know yet. Each module has one function `run` that takes
//! such bytes and panics when something does not hold: the fuzz targets call it with what libfuzzer makes up, and the tests
//! (`tests/tests/corpus.rs`) with the files of `corpus/`.

pub mod bus;
pub mod control;
pub mod frames;
pub mod intake;
pub mod keys;
pub mod text;
