//! Memory of a process of a hundred devices.

use rts2dev::testing::Centrald;

use super::Effort;
use crate::device::Options;
use crate::listener::Listeners;
use crate::process::Process;
use crate::report::{row, title};

const DEVICES: usize = 100;
const VALUES: usize = 50;

pub(super) fn run(_: Effort) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let centrald = runtime.block_on(Centrald::start())?;
    let mut device = Process::device(&Options {
        devices: DEVICES,
        numbers: VALUES,
        centrald: Some(centrald.address().to_string()),
        ..Options::default()
    })?;
    runtime.block_on(centrald.wait_for(|centrald| centrald.devices().len() == DEVICES));
    let registered = device.resident()?;
    let mut clients = Vec::new();
    for port in device.ports.clone() {
        clients.push(Listeners::connect(port, 1, "V asked ")?);
    }
    let served = device.resident()?;
    if let Some(first) = clients.first() {
        for _ in 0..100 {
            first.round(&mut device, "numbers", VALUES)?;
        }
    }
    let busy = device.resident()?;
    title(&format!("Memory of a process of {DEVICES} devices of {VALUES} values, under a centrald (VmRSS)"));
    for (what, bytes) in
        [("registered", registered), ("and each with a client", served), ("and after a hundred rounds", busy)]
    {
        let kilobytes = u32::try_from(bytes / 1000).unwrap_or(u32::MAX);
        row(what, format!("{:.1} MB", f64::from(kilobytes) / 1e3), "wanted: at most 30 MB");
    }
    Ok(())
}
