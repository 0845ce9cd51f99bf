//! What a hundred devices of fifty values cost: `many_devices [centrald]` runs them on one thread, prints the memory
//! that it takes after five seconds, and ends.
#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::time::Duration;

use rts2dev::{Device, DeviceOptions, Devices};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let centralds: Vec<String> = std::env::args().skip(1).collect();
    let mut values = Vec::new();
    let mut devices: Option<Devices> = None;
    for number in 0..100 {
        let options = DeviceOptions {
            centralds: centralds.clone(),
            host: Some("127.0.0.1".to_owned()),
            ..DeviceOptions::new(&format!("HOST{number}"))
        };
        let device = Device::new(options)?;
        for value in 0..50 {
            let (name, description) = (format!("value_{value}"), "[%] as long as descriptions usually are");
            values.push(device.handle().double(&name, description).initial(value).declare()?);
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        match &mut devices {
            None => devices = Some(Devices::new(device, listener)),
            Some(devices) => devices.add(device, listener),
        }
    }
    let shutdown = CancellationToken::new();
    let running = devices.map(|devices| tokio::spawn(devices.run(shutdown.clone())));
    for step in 0..50 {
        for value in &values {
            value.set(f64::from(step) / 3.0);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    for line in status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("Threads")) {
        println!("{line}");
    }
    shutdown.cancel();
    if let Some(running) = running {
        running.await??;
    }
    Ok(())
}
