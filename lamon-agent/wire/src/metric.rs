//! The core metrics, and what a metric's name says of its unit.
//!
//! The unit is told by the name, for agents and text senders alike: nothing about units travels, so nothing about them
//! can disagree.

use crate::names::MetricName;

/// The metrics that every operating system gives, in the order in which tables, columns and pages show them.
///
/// `clock_offset` is the one that no agent sends: the hub measures it.
pub const CORE: [&str; 10] = [
    "cpu_percent",
    "memory_percent",
    "swap_percent",
    "disk_percent",
    "nic_in",
    "nic_out",
    "load1",
    "processes",
    "uptime",
    "clock_offset",
];

/// The unit of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Hundredths of a whole, 0 to 100.
    Percent,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// Degrees Celsius.
    Celsius,
    /// Events per second.
    PerSecond,
    /// A number of things.
    Count,
    /// A bare number, such as a load.
    None,
}

impl Unit {
    /// The unit that a metric of this name has.
    #[must_use]
    pub fn of(metric: &MetricName) -> Self {
        let name = metric.as_str();
        let nic = name.starts_with("nic_");
        if name.ends_with("_percent") {
            Self::Percent
        } else if name.starts_with("disk_") && name.ends_with("_free") || name.ends_with("_bytes") {
            Self::Bytes
        } else if nic && (name.ends_with("_in") || name.ends_with("_out")) {
            Self::BytesPerSecond
        } else if nic && name.ends_with("_errors") {
            Self::PerSecond
        } else if matches!(name, "uptime" | "clock_offset") || name.ends_with("_seconds") {
            Self::Seconds
        } else if name.starts_with("temp_") {
            Self::Celsius
        } else if name == "processes" || name.starts_with("proc_") || name.starts_with("restarts_") {
            Self::Count
        } else {
            Self::None
        }
    }

    /// The unit as RTS2 descriptions and axes show it; empty for [`Unit::None`] and [`Unit::Count`].
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Bytes => "B",
            Self::BytesPerSecond => "B/s",
            Self::Seconds => "s",
            Self::Celsius => "C",
            Self::PerSecond => "1/s",
            Self::Count | Self::None => "",
        }
    }

    /// How many decimals an agent keeps of such a value: as many as mean something.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        match self {
            Self::Bytes | Self::BytesPerSecond | Self::Seconds | Self::Count => 0,
            Self::Celsius => 1,
            Self::Percent | Self::None | Self::PerSecond => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_units() {
        for (name, unit) in [
            ("cpu_percent", Unit::Percent),
            ("disk_home_percent", Unit::Percent),
            ("disk_home_inodes_percent", Unit::Percent),
            ("disk_home_free", Unit::Bytes),
            ("nic_in", Unit::BytesPerSecond),
            ("nic_eth0_out", Unit::BytesPerSecond),
            ("nic_eth0_errors", Unit::PerSecond),
            ("uptime", Unit::Seconds),
            ("clock_offset", Unit::Seconds),
            ("temp_core_0", Unit::Celsius),
            ("proc_rts2_camd", Unit::Count),
            ("restarts_rts2_camd", Unit::Count),
            ("processes", Unit::Count),
            ("load1", Unit::None),
            ("queue_depth", Unit::None),
        ] {
            assert_eq!(Unit::of(&MetricName::new(name).unwrap()), unit, "{name}");
        }
    }

    #[test]
    fn core_metrics_are_metric_names() {
        assert!(CORE.iter().all(|name| MetricName::new(name).is_ok()));
    }
}
