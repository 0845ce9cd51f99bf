//! How fast value lines are read, step by step, on one core.

use std::collections::HashMap;
use std::hint::black_box;

use anyhow::Context;
use rts2dev::proto::{BaseType, Fragment, Line, LineSplitter, Rest, Text, ValueData, ValueType};
use rustix::time::{ClockId, clock_gettime};

use super::Effort;
use crate::report::{Sample, row, title};

/// Values of one device, and how often each comes.
const VALUES: usize = 1000;
const ROUNDS: usize = 200;
const LINES: f64 = 200_000.0;

/// A kind of value as RTS2 sends it.
struct Kind {
    name: &'static str,
    base: BaseType,
    text: fn(usize) -> String,
}

const KINDS: [Kind; 4] = [
    Kind { name: "doubles, %.20e as RTS2 writes them", base: BaseType::Double, text: exponential },
    Kind { name: "doubles, shortest form", base: BaseType::Double, text: |n| format!("{:?}", real(n)) },
    Kind { name: "integers", base: BaseType::Integer, text: |n| n.to_string() },
    Kind { name: "texts", base: BaseType::String, text: |n| format!("\"some text {n}\"") },
];

pub(super) fn run(effort: Effort) -> anyhow::Result<()> {
    title(&format!("Reading, {VALUES} values of one device, packets of 4 KiB, one core (M lines/s)"));
    for kind in &KINDS {
        let names: Vec<_> = (0..VALUES).map(|number| format!("value_{number:04}_percent")).collect();
        let mut text = String::new();
        for number in 0..VALUES * ROUNDS {
            let name = names.get(number % VALUES).context("no name")?;
            text.push_str(&format!("V {name} {}\n", (kind.text)(number)));
        }
        let bytes = text.as_bytes();
        let value_type = ValueType::scalar(kind.base);
        let copied = measure(effort, || {
            black_box(bytes.to_vec());
        });
        let cut = measure(effort, || {
            each_line(bytes, |line| {
                black_box(line);
            });
        });
        let read = measure(effort, || {
            each_line(bytes, |line| {
                black_box(Line::parse(line).is_ok());
            });
        });
        let typed = measure(effort, || {
            each_value(bytes, |_, value| {
                black_box(ValueData::parse(value_type, value).is_ok());
            });
        });
        let mut known: HashMap<Vec<u8>, ValueData> =
            names.into_iter().map(|name| (name.into_bytes(), ValueData::unset(value_type))).collect();
        let kept = measure(effort, || {
            each_value(bytes, |name, value| {
                if let (Some(known), Ok(value)) =
                    (known.get_mut(name.as_bytes()), ValueData::parse(value_type, value))
                {
                    *known = value;
                }
            });
        });
        row(
            &format!("{}: cut, read, typed, kept by name", kind.name),
            kept.spread(2, ""),
            "wanted: at least 2",
        );
        let steps = [&cut, &read, &typed].map(|step| format!("{:.1}", step.median()));
        row("    cut; and read; and typed", steps.join("; "), "");
        row("    raw limit: the same bytes copied", format!("{:.0}", copied.median()), "");
    }
    Ok(())
}

fn measure(effort: Effort, mut what: impl FnMut()) -> Sample {
    what();
    let times = (0..effort.times(25)).map(|_| {
        let start = on_cpu();
        what();
        LINES / (on_cpu() - start) / 1e6
    });
    times.collect()
}

/// How long this thread has run, seconds: others that share the machine do not count.
#[expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds of less than a second, and seconds of less than a year"
)]
fn on_cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn each_line(bytes: &[u8], mut take: impl FnMut(&[u8])) {
    let mut splitter = LineSplitter::default();
    for mut packet in bytes.chunks(4096) {
        while let Some(fragment) = splitter.next(&mut packet) {
            if let Fragment::Line(line) = fragment {
                take(line);
            }
        }
    }
}

fn each_value(bytes: &[u8], mut take: impl FnMut(Text<'_>, Rest<'_>)) {
    each_line(bytes, |line| {
        if let Ok(Line::Value { name, value }) = Line::parse(line) {
            take(name, value);
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "any number is good")]
fn real(number: usize) -> f64 {
    number as f64 * 0.371_234_567_8 + 1.0 / 3.0
}

/// As C's `%.20e`: two digits at least in the exponent.
fn exponential(number: usize) -> String {
    let text = format!("{:.20e}", real(number));
    match text.split_once('e').map(|(digits, exponent)| (digits, exponent.parse::<i32>())) {
        Some((digits, Ok(exponent))) => format!("{digits}e{exponent:+03}"),
        _ => text,
    }
}
