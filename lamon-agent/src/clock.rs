//! The two clocks of a node: one that only goes on, and the one on the wall.

/// Both clocks, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Microseconds since the node's boot, sleep included (Linux: `CLOCK_BOOTTIME`); never goes back.
    pub monotonic_us: u64,
    /// Unix time, microseconds UTC, as the node believes it.
    pub wall_us: i64,
}

impl Now {
    /// Reads the clocks.
    #[must_use]
    pub fn read() -> Self {
        Self { monotonic_us: monotonic_us(), wall_us: wall_us() }
    }

    /// Milliseconds since the node's boot.
    #[must_use]
    pub const fn monotonic_ms(self) -> u64 {
        self.monotonic_us / 1_000
    }

    /// Unix time, milliseconds UTC.
    #[must_use]
    pub const fn wall_ms(self) -> i64 {
        self.wall_us.div_euclid(1_000)
    }

    /// Seconds that passed since `earlier_us` of the monotonic clock.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
    pub const fn seconds_since(self, earlier_us: u64) -> f64 {
        self.monotonic_us.saturating_sub(earlier_us) as f64 / 1e6
    }
}

#[cfg(target_os = "linux")]
fn monotonic_us() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    // Time since boot has no negative parts.
    seconds.unwrap_or(0).saturating_mul(1_000_000).saturating_add(nanoseconds.unwrap_or(0) / 1_000)
}

/// Elsewhere the time since this process's first look, on top of the system's uptime at that look.
#[cfg(not(target_os = "linux"))]
fn monotonic_us() -> u64 {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};

    static START: OnceLock<(Instant, Duration)> = OnceLock::new();
    let (start, uptime) = START.get_or_init(|| (Instant::now(), uptime()));
    u64::try_from((start.elapsed() + *uptime).as_micros()).unwrap_or(u64::MAX)
}

/// GetTickCount64, to some 16 ms: an agent that was started again goes on with the times of the one before.
#[cfg(windows)]
fn uptime() -> std::time::Duration {
    std::time::Duration::from_millis(winsafe::GetTickCount64())
}

#[cfg(not(any(target_os = "linux", windows)))]
fn uptime() -> std::time::Duration {
    std::time::Duration::from_secs(sysinfo::System::uptime().unwrap_or_default())
}

fn wall_us() -> i64 {
    use std::time::SystemTime;

    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        // A wall clock before 1970 is wrong, and the hub shall see how wrong.
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_on_from_the_boot() {
        let first = Now::read();
        let second = Now::read();
        assert!(second.monotonic_us >= first.monotonic_us);
        #[cfg(target_os = "linux")]
        {
            let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
            let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
            assert!(uptime + 0.02 >= first.seconds_since(0), "the file was read later");
        }
    }

    #[test]
    fn parts_of_a_time() {
        let now = Now { monotonic_us: 12_345_678, wall_us: -1 };
        assert_eq!((now.monotonic_ms(), now.wall_ms()), (12_345, -1));
        assert!((now.seconds_since(2_345_678) - 10.0).abs() < 1e-9);
        assert!(now.seconds_since(u64::MAX).abs() < f64::EPSILON);
    }
}
