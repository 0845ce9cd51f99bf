//! The original beside it: the same sets on rts2-sensor-dummy, in turns with ours.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use super::sets::cpu;
use super::{Asker, Effort, latency};
use crate::device::Options;
use crate::listener::Listeners;
use crate::process::Process;
use crate::report::{Sample, row, title};

/// Clients that listen, in the second half.
const LISTENERS: usize = 10;

pub(super) fn run(effort: Effort) -> anyhow::Result<()> {
    let Some(folder) = env::var_os("RTS2_BINDIR") else {
        title("The original: RTS2_BINDIR is not set, nothing was measured beside it");
        return Ok(());
    };
    let locks = tempfile::tempdir()?;
    let dummy = dummy(Path::new(&folder), locks.path())?;
    let ours = Process::device(&Options { devices: 1, ..Options::default() })?;
    let mut to_dummy = Asker::connect(dummy.port()?)?;
    let mut to_ours = Asker::connect(ours.port()?)?;
    let sets = effort.times(250);
    let (mut original, mut own) = (Vec::new(), Vec::new());
    for number in 1..=sets {
        original.push(to_dummy.ask(&format!("X TEST_INT = {number}\n"), "+0")?);
        own.push(to_ours.ask(&format!("X limit = {number}\n"), "+0")?);
    }
    title(&format!("The same sets on rts2-sensor-dummy, in turns with ours, {sets} times"));
    row("rts2-sensor-dummy: answered", latency(&original.into_iter().collect()), "");
    row("ours: answered", latency(&own.into_iter().collect()), "");
    for (name, device, client, value) in
        [("rts2-sensor-dummy", &dummy, &mut to_dummy, "TEST_INT"), ("ours", &ours, &mut to_ours, "limit")]
    {
        let alone = cpu(device, client, value, sets)?;
        let last = if name == "ours" { "V asked " } else { "V infotime " };
        let listeners = Listeners::connect(device.port()?, LISTENERS, last)?;
        let heard = cpu(device, client, value, sets)?;
        rows(name, &alone, &heard, listeners.count());
    }
    Ok(())
}

fn rows(name: &str, alone: &Sample, heard: &Sample, listeners: usize) {
    #[expect(clippy::cast_precision_loss, reason = "ten")]
    let each = (heard.median() - alone.median()) / listeners as f64;
    row(&format!("{name}: CPU for a set"), alone.spread(1, "µs"), "");
    row(&format!("{name}: CPU more for each client that listens"), format!("{each:.1} µs"), "");
}

/// The dummy sensor on a free port of this machine, for anybody, registered nowhere.
fn dummy(programs: &Path, locks: &Path) -> anyhow::Result<Process> {
    let free = || anyhow::Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
    let (port, nobody) = (free()?, free()?);
    let mut command = Command::new(programs.join("rts2-sensor-dummy"));
    command
        .args(["-i", "-d", "DUMMY", "--noauth", "--localhost", "127.0.0.1"])
        .args(["--server", &format!("127.0.0.1:{nobody}"), "--local-port", &port.to_string()])
        .args(["--lock-prefix", &format!("{}/", locks.display())]);
    // Keeps RTS2's daemons, which listen everywhere, on this machine.
    if let Some(preload) = env::var_os("RTS2_PRELOAD") {
        command.env("LD_PRELOAD", preload);
    }
    Process::other(command, port)
}
