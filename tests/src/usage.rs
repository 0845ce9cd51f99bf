//! Memory and CPU of a process, as Linux tells them in /proc.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What is in memory (`VmRSS`), pages that it shares with others counted whole.
    pub resident: u64,
    /// The same with shared pages divided among those who share them (`Pss`).
    pub proportional: u64,
}

/// How much memory a process has.
///
/// # Errors
///
/// When it does not run.
pub fn memory(pid: u32) -> anyhow::Result<Memory> {
    Ok(Memory { resident: field(pid, "status", "VmRSS")?, proportional: field(pid, "smaps_rollup", "Pss")? })
}

/// The most memory that a process ever had (`VmHWM`), in bytes.
///
/// # Errors
///
/// When it does not run.
pub fn peak(pid: u32) -> anyhow::Result<u64> {
    field(pid, "status", "VmHWM")
}

fn field(pid: u32, file: &str, key: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("{path} has no {key}"))? * 1_024)
}

/// How long a process has run on CPUs, all its threads together.
///
/// `schedstat` of each thread tells nanoseconds, but forgets threads that ended; `stat` remembers them, in ticks of ten
/// milliseconds. The larger is right.
///
/// # Errors
///
/// When it does not run.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    Ok(by_threads(pid).unwrap_or_default().max(by_ticks(pid)?))
}

fn by_threads(pid: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.map_while(Result::ok);
    let times = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(times.sum()))
}

fn by_ticks(pid: u32) -> anyhow::Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th field behind it.
    let (_, fields) = text.rsplit_once(')').with_context(|| format!("{path} makes no sense"))?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<_, _>>().with_context(|| format!("{path} makes no sense"))?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_millis(ticks * 1_000 / per_second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_cpu() {
        let own = std::process::id();
        let memory = memory(own).unwrap();
        assert!(memory.proportional > 0 && memory.proportional <= memory.resident * 2, "{memory:?}");
        let before = cpu(own).unwrap();
        let mut sum = 0_u64;
        while cpu(own).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(cpu(own).unwrap() > before);
        assert!(peak(own).unwrap() >= memory.resident / 2, "a peak is never below");
        assert!(memory_of_nobody().is_err());
    }

    fn memory_of_nobody() -> anyhow::Result<Memory> {
        memory(u32::MAX)
    }
}
