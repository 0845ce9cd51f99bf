//! The process that is measured: devices on one thread, driven by lines on standard input.
//!
//! `numbers COUNT ROUND` sets so many doubles to that number, `texts COUNT ROUND` so many texts of a kilobyte. It ends
//! with its input. Its first line says on which ports the devices listen.

use std::io::{BufRead, Write};

use anyhow::Context;
use clap::Args;
use rts2dev::{Device, DeviceHandle, DeviceOptions, Value};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the devices are.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Options {
    /// How many devices.
    #[arg(long, default_value_t = 1)]
    pub(crate) devices: usize,
    /// Doubles of each.
    #[arg(long, default_value_t = 0)]
    pub(crate) numbers: usize,
    /// Texts of each.
    #[arg(long, default_value_t = 0)]
    pub(crate) texts: usize,
    /// Where they register.
    #[arg(long)]
    pub(crate) centrald: Option<String>,
}

/// The values of the first device.
#[derive(Default)]
struct Values {
    numbers: Vec<Value<f64>>,
    texts: Vec<Value<String>>,
}

/// Runs them until the input ends.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let mut ports = Vec::new();
        let mut running = JoinSet::new();
        let mut first = None;
        for number in 0..options.devices {
            let device = Device::new(DeviceOptions {
                centralds: options.centrald.iter().cloned().collect(),
                host: Some("127.0.0.1".to_owned()),
                noauth: true,
                ..DeviceOptions::new(&format!("BENCH{number}"))
            })?;
            let values = declare(&device.handle(), options)?;
            first.get_or_insert(values);
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            ports.push(listener.local_addr()?.port().to_string());
            running.spawn(device.run(listener, shutdown.clone()));
        }
        say(&ports.join(" "))?;
        let values = first.unwrap_or_default();
        let obeying = std::thread::spawn(move || {
            let done = obey(&values);
            shutdown.cancel();
            done
        });
        while running.join_next().await.is_some() {}
        obeying.join().map_err(|_| anyhow::anyhow!("the thread that sets values is gone"))?
    })
}

fn declare(handle: &DeviceHandle, options: &Options) -> anyhow::Result<Values> {
    let mut values = Values::default();
    for number in 0..options.numbers {
        let value = handle.double(&format!("number_{number:04}"), "[%] a number of a node");
        values.numbers.push(value.initial(0.0).declare()?);
    }
    for number in 0..options.texts {
        values.texts.push(handle.string(&format!("text_{number:04}"), "a long text").declare()?);
    }
    handle.integer("limit", "set without a handler").writable().declare()?;
    handle.integer("asked", "set with a handler").on_set(|_| std::future::ready(Ok(()))).declare()?;
    Ok(values)
}

fn obey(values: &Values) -> anyhow::Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(' ');
        let what = words.next().unwrap_or_default();
        let mut number = || words.next().and_then(|word| word.parse().ok()).context("no number");
        let (count, round): (usize, usize) = (number()?, number()?);
        match what {
            "numbers" => {
                let round = f64::from(u32::try_from(round)?);
                values.numbers.iter().take(count).for_each(|value| value.set(round));
            }
            "texts" => {
                let text = format!("{}{round:08}", "x".repeat(1000));
                values.texts.iter().take(count).for_each(|value| value.set(text.as_str()));
            }
            other => anyhow::bail!("what is {other}?"),
        }
    }
    Ok(())
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
