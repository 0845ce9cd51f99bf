//! Numbers for people.

use std::fmt::Display;
use std::fs;
use std::time::Duration;

/// Many measurements of one thing, in order of size.
#[derive(Clone, Debug)]
pub(crate) struct Sample(Vec<f64>);

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }
}

/// In milliseconds.
impl FromIterator<Duration> for Sample {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect()
    }
}

impl Sample {
    /// The number below which so many percent of them are.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The median with the smallest and the largest.
    pub(crate) fn spread(&self, decimals: usize, unit: &str) -> String {
        let (low, high) = (self.percentile(0), self.percentile(100));
        format!("{:.decimals$} {unit} ({low:.decimals$} … {high:.decimals$})", self.median())
    }
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub(crate) fn title(text: &str) {
    println!("\n{text}");
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub(crate) fn row(what: &str, number: impl Display, wanted: &str) {
    println!("{}", format!("  {what:<58} {number:>32}   {wanted}").trim_end());
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
pub(crate) fn table(line: &str) {
    println!("  {line}");
}

#[expect(clippy::print_stderr, reason = "what takes minutes says where it is")]
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stderr, reason = "somebody has to see it")]
pub(crate) fn complaint(text: &str) {
    eprintln!("{text}");
}

/// On what it was measured.
pub(crate) fn machine() {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    title("What an RTS2 device costs");
    row("processor, cores", format!("{}, {cores}", model.unwrap_or("?")), "");
    row("kernel", read("/proc/sys/kernel/osrelease").trim(), "");
    row("load before (others share the machine)", load.split(' ').next().unwrap_or("?"), "");
    row("build", if cfg!(debug_assertions) { "debug: no numbers to keep" } else { "release" }, "");
}
