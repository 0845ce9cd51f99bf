//! What is measured, one file each.

mod fan_out;
mod memory;
mod metainfo;
mod original;
mod parsing;
mod sets;
mod stuck;

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::report::{self, Sample, progress};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Effort {
    quick: bool,
}

impl Effort {
    /// That many, or a fifth in a short look.
    fn times(self, count: usize) -> usize {
        if self.quick { count.div_ceil(5) } else { count }
    }
}

/// Measures everything whose name contains `only`.
pub(crate) fn run(quick: bool, only: &str) -> anyhow::Result<()> {
    type Measure = fn(Effort) -> anyhow::Result<()>;
    let all: [(&str, Measure); 7] = [
        ("parsing", parsing::run),
        ("sets", sets::run),
        ("metainfo", metainfo::run),
        ("fan-out", fan_out::run),
        ("stuck", stuck::run),
        ("memory", memory::run),
        ("original", original::run),
    ];
    report::machine();
    for (name, measure) in all.iter().filter(|(name, _)| name.contains(only)) {
        progress(&format!("measuring: {name}"));
        measure(Effort { quick }).with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

/// A connection that says a line and waits for the line that ends it.
struct Asker {
    reader: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Asker {
    /// Connects, waiting until something listens there.
    fn connect(port: u16) -> anyhow::Result<Self> {
        let start = Instant::now();
        loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Self { reader: BufReader::new(stream), line: Vec::new() });
                }
                Err(error) if start.elapsed() > Duration::from_secs(10) => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Says it; how long it took until a line came that begins with `end`.
    fn ask(&mut self, line: &str, end: &str) -> anyhow::Result<Duration> {
        let start = Instant::now();
        self.reader.get_mut().write_all(line.as_bytes())?;
        self.hear(end)?;
        Ok(start.elapsed())
    }

    fn hear(&mut self, end: &str) -> anyhow::Result<()> {
        loop {
            self.line.clear();
            anyhow::ensure!(self.reader.read_until(b'\n', &mut self.line)? > 0, "the peer closed");
            if self.line.starts_with(end.as_bytes()) {
                return Ok(());
            }
        }
    }
}

/// The median of many times, and the time that one in a hundred takes longer than.
fn latency(times: &Sample) -> String {
    format!("{:.3} ms, p99 {:.3} ms", times.median(), times.percentile(99))
}
