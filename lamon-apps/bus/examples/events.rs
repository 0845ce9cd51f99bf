//! A whole application on the bus: prints what happens at a site, and how many nodes are not well.
//!
//! `cargo run -p lamon-bus --example events -- tcp://hub:7618 tcp://hub:7619`; a hub on this computer when nothing is given.
#![expect(clippy::print_stdout, reason = "that is what it does")]

use std::time::Duration;

use lamon_bus::{Addresses, ConnectError, Follower, Level, News};

fn main() -> Result<(), ConnectError> {
    let mut given = std::env::args().skip(1);
    let mut addresses = Addresses::default();
    addresses.publish = given.next().unwrap_or(addresses.publish);
    addresses.snapshot = given.next().unwrap_or(addresses.snapshot);
    let mut follower = Follower::connect(&addresses)?;
    loop {
        for news in follower.wait(Duration::from_secs(10)) {
            match news {
                News::Event(event) => println!("{} {}", event.level, event.text),
                News::Levels(_) => {
                    let nodes = follower.picture().nodes();
                    let unwell = nodes.filter(|node| node.level > Level::Good).count();
                    println!("{unwell} of {} nodes are not well", follower.picture().nodes().len());
                }
                News::Away => println!("nothing is heard of the hub"),
                _ => {}
            }
        }
    }
}
