//! The past as the program answers it: the real program over real archives.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what the tests share fails them where it goes wrong"
)]

mod archives;
mod curves;
mod events;
mod heat;
mod hub;
mod nights;
mod program;
mod refusals;
mod tables;
