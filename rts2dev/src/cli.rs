//! The command line of a device.

#[cfg(unix)]
pub mod background;
