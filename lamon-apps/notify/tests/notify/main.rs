//! The real program, against a hub, HTTP servers, mail servers and programs that the tests speak for: they refuse, hang, and
//! come back.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "what the tests share fails them where it goes wrong"
)]

mod commands;
mod crashes;
mod deliveries;
mod garbage;
mod hub_away;
mod mail;
mod reload;
mod robots;
mod self_test;
mod support;
mod tls;
mod wecom_app;
