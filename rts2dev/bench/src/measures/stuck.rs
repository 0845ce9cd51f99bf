//! A client that stops reading: what it costs the device and the others, and what it gets when it reads again.

use std::collections::HashMap;
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Instant;

use rts2dev::proto::{Fragment, Line, LineSplitter};

use super::{Effort, latency};
use crate::device::Options;
use crate::listener::{Listeners, round_of};
use crate::process::Process;
use crate::report::{Sample, row, title};

/// Texts of a kilobyte.
const VALUES: usize = 1000;

pub(super) fn run(effort: Effort) -> anyhow::Result<()> {
    let mut device = Process::device(&Options { devices: 1, texts: VALUES, ..Options::default() })?;
    let listeners = Listeners::connect(device.port()?, 5, "V asked ")?;
    let rounds = effort.times(100);
    let without = run_rounds(&mut device, &listeners, rounds)?;
    let before = device.resident()?;
    let mut stuck = TcpStream::connect((Ipv4Addr::LOCALHOST, device.port()?))?;
    let with = run_rounds(&mut device, &listeners, rounds)?;
    let after = device.resident()?;

    // What it finds when it reads again.
    let start = Instant::now();
    let (mut read, mut newest, mut buffer) = (0, HashMap::new(), vec![0; 1 << 16]);
    let mut splitter = LineSplitter::default();
    while newest.values().filter(|round| **round == listeners.last_round()).count() < VALUES {
        let count = stuck.read(&mut buffer)?;
        anyhow::ensure!(count > 0, "the device closed");
        read += count;
        let mut input = buffer.get(..count).unwrap_or_default();
        while let Some(fragment) = splitter.next(&mut input) {
            if let Fragment::Line(line) = fragment
                && let (Ok(Line::Value { name, .. }), Some(round)) = (Line::parse(line), round_of(line))
            {
                newest.insert(name.to_string(), round);
            }
        }
    }
    title(&format!(
        "A client that stops reading, {rounds} rounds of {VALUES} texts of 1 KB ({rounds} MB), 5 clients that read"
    ));
    row("a round reaches the others, without it", latency(&without), "");
    row("a round reaches the others, beside it", latency(&with), "wanted: no more than that");
    let megabytes = |bytes: u64| f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1e3;
    row("memory of the device before", format!("{:.2} MB", megabytes(before)), "");
    row("memory of the device after", format!("{:.2} MB", megabytes(after)), "wanted: bounded");
    let took = start.elapsed().as_secs_f64() * 1e3;
    row(
        "it reads again: the latest of each after",
        format!("{took:.1} ms, {:.2} MB", megabytes(read as u64)),
        "",
    );
    Ok(())
}

fn run_rounds(device: &mut Process, listeners: &Listeners, rounds: usize) -> anyhow::Result<Sample> {
    (0..rounds)
        .map(|_| listeners.round(device, "texts", VALUES))
        .collect::<Result<Vec<_>, _>>()
        .map(|times| times.into_iter().collect())
}
