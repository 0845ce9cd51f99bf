//! How a new client gets all metainfo of a large device.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use super::Effort;
use crate::device::Options;
use crate::process::Process;
use crate::report::{Sample, row, title};

const VALUES: usize = 1000;
/// A silence of this length ends a burst: many times what a scheduler lets pass between two writes.
const GAP: Duration = Duration::from_millis(2);

pub(super) fn run(effort: Effort) -> anyhow::Result<()> {
    let device = Process::device(&Options { devices: 1, numbers: VALUES, ..Options::default() })?;
    let (mut times, mut bursts, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..effort.times(100) {
        let start = Instant::now();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, device.port()?))?;
        let mut buffer = vec![0; 1 << 20];
        let (mut held, mut heard, mut count) = (0, start, 1.0);
        loop {
            let more = stream.read(buffer.get_mut(held..).unwrap_or_default())?;
            anyhow::ensure!(more > 0, "the device closed");
            if held > 0 && heard.elapsed() > GAP {
                count += 1.0;
            }
            heard = Instant::now();
            held += more;
            let end = buffer.get(held.saturating_sub(20)..held).unwrap_or_default();
            if end.windows(8).any(|window| window == b"V asked ") {
                break;
            }
        }
        times.push(start.elapsed());
        bursts.push(count);
        bytes = held;
    }
    let times: Sample = times.into_iter().collect();
    title(&format!("Metainfo of {VALUES} values to a new client, {bytes} bytes"));
    row("from the connection to the last value", times.spread(2, "ms"), "wanted: below 20 ms");
    let bursts: Sample = bursts.into_iter().collect();
    row("bursts, with 2 ms of silence between them", bursts.spread(0, ""), "wanted: 1");
    Ok(())
}
