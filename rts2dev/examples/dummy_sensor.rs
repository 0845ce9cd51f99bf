//! A sensor with a value of every type, its table first: `dummy_sensor DUMMY localhost:617`.
#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::time::{Duration, SystemTime};

use rts2dev::proto::{AltAz, DisplayType, Level, MinMax, Pid, RaDec, Rectangle};
use rts2dev::{Device, DeviceHandle, DeviceOptions, Refusal, Time};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut options = DeviceOptions::new(&arguments.next().unwrap_or_else(|| "DUMMY".to_owned()));
    options.centralds = vec![arguments.next().unwrap_or_else(|| "localhost".to_owned())];
    options.host = Some("localhost".to_owned());
    let device = Device::new(options)?;
    let h = device.handle();

    let load = h.double("load", "[%] a saw tooth").display(DisplayType::Percent).fits().declare()?;
    let ticks = h.integer("ticks", "seconds since the start").declare()?;
    let last = h.time("last", "time of the last tick").declare()?;
    h.long("free", "[B] free").display(DisplayType::ByteSize).initial(7_500_000_000_i64).declare()?;
    h.float("ratio", "a ratio").initial(0.1).debug().declare()?;
    h.string("note", "whatever you like").initial("hello world").writable().declare()?;
    h.selection("mode", "how fast", &["slow", "fast"]).writable().declare()?;
    h.ra_dec("target", "where to look").initial(RaDec { ra: 155.125, dec: -20.5 }).writable().declare()?;
    h.alt_az("wind", "where it comes from").initial(AltAz { alt: 0.5, az: 90.0 }).writable().declare()?;
    h.pid("pid", "factors of the loop").initial(Pid { p: 1_000_000, i: 500, d: 0 }).writable().declare()?;
    let noise = h.statistics("noise", "[%] last minute's load", 60).declare()?;
    let trend = h.time_serie("trend", "[%] load, with its trend", 60).declare()?;
    let heater = MinMax { value: 20.0, min: -5.0, max: 35.5 };
    h.min_max::<f64>("heater", "[C] wanted temperature").initial(heater).writable().declare()?;
    let gain = MinMax { value: 3, min: 0, max: 9 };
    h.min_max::<i32>("gain", "amplifier").initial(gain).writable().declare()?;
    let frame = Rectangle { x: 0, y: 0, width: 1024, height: 512 };
    h.rectangle::<i32>("frame", "read part of the chip").initial(frame).writable().declare()?;
    h.doubles("levels", "[V] of the channels").initial([1.5, f64::NAN, -2.25]).writable().declare()?;
    h.integers("counts", "of the channels").initial([1, 2, 3]).writable().declare()?;
    h.booleans("doors", "open").display(DisplayType::OnOff).initial([true, false]).writable().declare()?;
    let names = ["red", "dark blue"].map(String::from);
    h.strings("names", "of the channels").initial(names).writable().declare()?;
    h.times("events", "the last ones").initial([Time::now()]).writable().declare()?;
    let limit = h.double("limit", "[%] of a warning").initial(50).on_set(check_limit).declare()?;
    let state = h.clone();
    let blocks = h.boolean("block", "block exposures").initial(false);
    blocks.on_set(move |on| block(state.clone(), on)).declare()?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{} listens on {}", h.name(), listener.local_addr()?);
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(device.run(listener, shutdown.clone()));
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    for tick in 0.. {
        tokio::select! {
            _ = clock.tick() => {}
            _ = tokio::signal::ctrl_c() => break,
        }
        let percent = f64::from(tick % 100);
        let level = if percent > limit.get() { Level::Warning } else { Level::Good };
        load.set_with_level(percent, level);
        noise.add(percent);
        trend.add(percent);
        ticks.set(tick);
        last.set(SystemTime::now());
    }
    shutdown.cancel();
    Ok(running.await??)
}

async fn check_limit(limit: f64) -> Result<(), Refusal> {
    if (0.0..=100.0).contains(&limit) { Ok(()) } else { Err(Refusal::value("limit is 0 to 100")) }
}

async fn block(handle: DeviceHandle, on: bool) -> Result<(), Refusal> {
    handle.block_exposure(on, if on { "blocked by hand" } else { "free again" });
    Ok(())
}
