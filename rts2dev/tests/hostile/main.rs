//! What hostile and broken peers do, and that it costs only their own connection. Each test names the limit that holds.
//! All the while an authorized client and centrald are served, and new clients get in.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "../common/mod.rs"]
mod common;

mod centrald;
mod crowds;
mod lines;
mod site;
mod slow;
