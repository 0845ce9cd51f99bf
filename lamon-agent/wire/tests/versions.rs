//! The bytes of each protocol version, frozen. If a test here fails, the code is wrong: agents of every release are in
//! the field. A new version gets a new file; the old files stay as they are.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "versions/extra.rs"]
mod extra;
#[path = "versions/v01.rs"]
mod v01;
#[path = "versions/v02.rs"]
mod v02;
