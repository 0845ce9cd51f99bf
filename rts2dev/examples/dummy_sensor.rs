//! A sensor with a value of every simple type: `dummy_sensor DUMMY localhost:617 [port]`.
#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::time::Duration;

use rts2dev::proto::{DeviceState, DisplayType, Level, MessageType};
use rts2dev::{Device, DeviceOptions, Refusal, Time};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = DeviceOptions::new(&arguments.next().unwrap_or_else(|| "DUMMY".to_owned()));
    options.centralds = vec![arguments.next().unwrap_or_else(|| "localhost".to_owned())];
    options.host = Some("localhost".to_owned());
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;

    let device = Device::new(options)?;
    let handle = device.handle();
    let load = handle.double("load", "[%] a saw tooth").display(DisplayType::Percent).fits().declare()?;
    let free = handle
        .long("free", "[B] bytes free")
        .display(DisplayType::ByteSize)
        .initial(7_500_000_000_i64)
        .declare()?;
    let ticks = handle.integer("ticks", "seconds since the start").declare()?;
    let last = handle.time("last", "time of the last tick").declare()?;
    let _ = handle.float("ratio", "a ratio").initial(0.1).debug().declare()?;
    let note = handle.string("note", "whatever you like").initial("hello world").writable().declare()?;
    let state = handle.clone();
    let _ = handle
        .boolean("block", "block exposures")
        .display(DisplayType::OnOff)
        .initial(false)
        .on_set(move |block| {
            let bop = if block { DeviceState::BOP_EXPOSURE } else { DeviceState::empty() };
            state.set_state(bop, if block { "blocked by hand" } else { "free again" });
            std::future::ready(Ok(()))
        })
        .declare()?;
    let _ = handle.selection("mode", "how fast", &["slow", "fast"]).writable().declare()?;
    let limit = handle
        .double("limit", "[%] warning above, error 20 above that")
        .initial(50)
        .on_set(|limit| async move {
            if (0.0..=100.0).contains(&limit) { Ok(()) } else { Err(Refusal::value("limit is 0 to 100")) }
        })
        .declare()?;

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("{} listens on {}", handle.name(), listener.local_addr()?);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(device.run(listener, shutdown.clone()));
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    for tick in 0.. {
        tokio::select! {
            _ = clock.tick() => {}
            _ = tokio::signal::ctrl_c() => break,
        }
        let percent = f64::from(tick % 100);
        let level = match percent - limit.get() {
            over if over > 20.0 => Level::Error,
            over if over > 0.0 => Level::Warning,
            _ => Level::Good,
        };
        load.set_with_level(percent, level);
        free.set(7_500_000_000 - i64::from(tick) * 1_000_000);
        ticks.set(tick);
        last.set(Time::now());
        if tick % 60 == 59 {
            handle.message(MessageType::INFO, &format!("{tick} ticks, note is {}", note.get()));
        }
    }
    shutdown.cancel();
    Ok(running.await??)
}
