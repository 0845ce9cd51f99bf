//! Exit codes, those of sysexits.h where it has one, so that scripts and units tell the cases apart.

/// All went well.
pub const OK: u8 = 0;
/// The command line makes no sense (EX_USAGE); clap's own code 2 means the same.
pub const USAGE: u8 = 64;
/// Something the program needs is not to be had: a port in use, a server that does not answer (EX_UNAVAILABLE).
pub const UNAVAILABLE: u8 = 69;
/// A fault of the program itself (EX_SOFTWARE).
pub const SOFTWARE: u8 = 70;
/// The configuration is wrong (EX_CONFIG): systemd must not restart the daemon for it.
pub const CONFIG: u8 = 78;
