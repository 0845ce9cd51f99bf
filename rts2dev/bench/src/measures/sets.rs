//! How long a set takes until it is answered, and what it costs the device, alone and with clients that listen.

use super::{Asker, Effort, latency};
use crate::device::Options;
use crate::listener::Listeners;
use crate::process::Process;
use crate::report::{Sample, row, title};

/// Clients that listen, in the second half.
const LISTENERS: usize = 10;

pub(super) fn run(effort: Effort) -> anyhow::Result<()> {
    let device = Process::device(&Options { devices: 1, ..Options::default() })?;
    let echo = Process::echo()?;
    let mut client = Asker::connect(device.port()?)?;
    let mut raw = Asker::connect(echo.port()?)?;
    client.hear("V asked ")?;
    let sets = effort.times(5000);
    let (mut plain, mut asked, mut pings) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that whatever else the machine does meets all three.
    for number in 1..=sets {
        plain.push(client.ask(&format!("X limit = {number}\n"), "+0")?);
        asked.push(client.ask(&format!("X asked = {number}\n"), "+0")?);
        pings.push(raw.ask(&format!("+ limit = {number}\n"), "+")?);
    }
    title(&format!("A set, from its first byte to its end line, {sets} times"));
    row("answered", latency(&plain.into_iter().collect()), "wanted: median below 0.5 ms");
    row("answered, with a handler on its own thread", latency(&asked.into_iter().collect()), "");
    row("raw limit: a line said back over loopback", latency(&pings.into_iter().collect()), "");

    let alone = cpu(&device, &mut client, "limit", sets)?;
    let listeners = Listeners::connect(device.port()?, LISTENERS, "V asked ")?;
    let heard = cpu(&device, &mut client, "limit", sets)?;
    #[expect(clippy::cast_precision_loss, reason = "ten")]
    let each = (heard.median() - alone.median()) / listeners.count() as f64;
    row("CPU of the device for a set", alone.spread(1, "µs"), "");
    row(&format!("CPU more for each of {LISTENERS} clients that listen"), format!("{each:.1} µs"), "");
    Ok(())
}

/// Microseconds of CPU for each set, of several goes.
pub(super) fn cpu(device: &Process, client: &mut Asker, value: &str, sets: usize) -> anyhow::Result<Sample> {
    let goes = 5;
    let mut costs = Vec::new();
    for go in 0..goes {
        let before = device.cpu()?;
        for number in 0..sets / goes {
            client.ask(&format!("X {value} = {}\n", 1_000_000 * (go + 1) + number), "+0")?;
        }
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        costs.push((device.cpu()? - before).as_secs_f64() * 1e6 / (sets / goes) as f64);
    }
    Ok(costs.into_iter().collect())
}
